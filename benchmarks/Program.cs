using System.Runtime.CompilerServices;
using Cluster.Benchmarks;
using Cluster.Benchmarks.Continual;
using Cluster.Benchmarks.Federated;
using Cluster.Trainer.Core;

// The trainer's module initializer finds libtorch; it has to run before the first torch call here.
RuntimeHelpers.RunModuleConstructor(typeof(Seeds).Module.ModuleHandle);

return args switch
{
    ["lamb", .. var rest] => LambBenchmark.Run(rest),
    ["allreduce", .. var rest] => AllReduceBenchmark.Run(rest),
    ["models", .. var rest] => ModelBenchmark.Run(rest),
    ["gpu", .. var rest] => GpuBenchmark.Run(rest),
    ["batch-table", .. var rest] => BatchTable.Run(rest),
    ["federated-table", .. var rest] => FederatedTable.Run(rest),
    ["forward-forward-table", .. var rest] => ForwardForwardTable.Run(rest),
    ["continual-table", .. var rest] => ContinualTable.Run(rest),
    ["control-plane", .. var rest] => ControlPlaneBenchmark.Run(rest),
    ["dashboard", .. var rest] => DashboardBenchmark.Run(rest),
    ["first-round", .. var rest] => FirstRoundBenchmark.Run(rest),
    ["recovery", .. var rest] => RecoveryBenchmark.Run(rest),
    ["efficiency", .. var rest] => EfficiencyBenchmark.Run(rest),
    ["overlap", .. var rest] => OverlapBenchmark.Run(rest),
    ["throughput", .. var rest] => ThroughputBenchmark.Run(rest),
    ["layers", .. var rest] => LayersBenchmark.Run(rest),
    ["federated-clients", .. var rest] => FederatedClientsBenchmark.Run(rest),
    ["tokenize", .. var rest] => TokenizeBenchmark.Run(rest),
    ["memory", .. var rest] => MemoryBenchmark.Run(rest),
    ["job-rank", .. var rest] => JobRank.Run(rest), // One process of those above.
    ["direct-gpt", var spec, .. var settings] => DirectGpt.Run(spec, settings), // One of throughput.
    _ => Usage(),
};

static int Usage()
{
    Console.Error.WriteLine("usage: benchmarks lamb | allreduce | models | gpu | batch-table | federated-table | forward-forward-table | continual-table | first-round | recovery | control-plane | dashboard | efficiency | overlap | throughput | layers | tokenize | memory | federated-clients [options]; see README.md in this folder");
    return 2;
}

using System.Runtime.CompilerServices;
using Cluster.Benchmarks;
using Cluster.Trainer.Core;

// The trainer's module initializer finds libtorch; it has to run before the first torch call here.
RuntimeHelpers.RunModuleConstructor(typeof(Seeds).Module.ModuleHandle);

return args switch
{
    ["models", .. var rest] => ModelBenchmark.Run(rest),
    _ => Usage(),
};

static int Usage()
{
    Console.Error.WriteLine("usage: benchmarks models [--models gpt,mlp,resnet-20] [--threads 1,2] [--rounds 7] [--seconds 1.0] [--python /usr/bin/python3]");
    return 2;
}

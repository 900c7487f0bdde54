using Cluster.Benchmarks;

return args switch
{
    ["allreduce", .. var rest] => AllReduceBenchmark.Run(rest),
    ["lamb", .. var rest] => LambBenchmark.Run(rest),
    _ => Usage(),
};

static int Usage()
{
    Console.Error.WriteLine("usage: Cluster.Benchmarks allreduce|lamb [options]");
    return 2;
}

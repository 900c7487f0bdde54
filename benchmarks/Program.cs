using Cluster.Benchmarks;

return args switch
{
    ["allreduce", .. var rest] => AllReduceBenchmark.Run(rest),
    _ => Usage(),
};

static int Usage()
{
    Console.Error.WriteLine("usage: Cluster.Benchmarks allreduce [options]");
    return 2;
}

namespace Cluster.Contracts.Spec.Federated;

/// <summary>
/// How the training samples are dealt out among clients, by <c>kind</c>: a function of the job's seed and of this alone.
/// <c>cluster data partition</c> shows the outcome.
/// </summary>
public abstract record PartitionSpec
{
    private PartitionSpec() { }

    /// <summary>How many clients there are.</summary>
    public abstract int ClientCount { get; }

    /// <summary>All samples shuffled and dealt out in equal numbers.</summary>
    public sealed record Iid : PartitionSpec
    {
        [AtLeast(1), AtMost(1_000_000)]
        public required int Clients { get; init; }

        public override int ClientCount => Clients;
    }

    /// <summary>Every class is split among the clients by shares drawn from a symmetric Dirichlet distribution (Yurochkin et al. 2019; Li et al. 2022).</summary>
    public sealed record Dirichlet : PartitionSpec
    {
        [AtLeast(1), AtMost(1_000_000)]
        public required int Clients { get; init; }

        /// <summary>Concentration: near 0 a class lies with few clients, large values come close to equal shares.</summary>
        [Above(0), AtMost(1_000_000)]
        public required double Alpha { get; init; }

        /// <summary>Shares are drawn anew until every client has at least so many samples.</summary>
        [AtLeast(1), AtMost(1_000_000)]
        public int MinExamples { get; init; } = 1;

        public override int ClientCount => Clients;
    }

    /// <summary>The samples sorted by class, cut into equal shards, and the shards dealt out (McMahan et al. 2017: two a client).</summary>
    public sealed record Shards : PartitionSpec
    {
        [AtLeast(1), AtMost(1_000_000)]
        public required int Clients { get; init; }

        [AtLeast(1), AtMost(10_000)]
        public int ShardsPerClient { get; init; } = 2;

        public override int ClientCount => Clients;
    }

    /// <summary>
    /// Text of plays: one client for each speaker, those who say most first. A paragraph whose first line ends in a colon says who
    /// speaks. Of each speaker's text the last <c>evaluationShare</c> is kept for evaluation.
    /// </summary>
    public sealed record Speaker : PartitionSpec
    {
        /// <summary>The so many speakers with the most text.</summary>
        [AtLeast(1), AtMost(1_000_000)]
        public required int Clients { get; init; }

        public override int ClientCount => Clients;
    }

    /// <summary>Text: each of <c>data.files</c> is a client. Of each file the last <c>evaluationShare</c> is kept for evaluation.</summary>
    public sealed record Files : PartitionSpec
    {
        /// <summary>How many <c>data.files</c> there must be.</summary>
        [AtLeast(1), AtMost(1_000_000)]
        public required int Clients { get; init; }

        public override int ClientCount => Clients;
    }

    /// <summary>
    /// Each client's training samples lie in a folder of its own: images in the files of <c>data.kind</c>, text in all its files that end in
    /// .txt, in the order of their names. Evaluated is what <c>data.path</c> holds for evaluation, or the evaluation part of <c>data.files</c>.
    /// </summary>
    public sealed record Folders : PartitionSpec
    {
        [NotEmpty]
        public required ValueList<ClientFolderSpec> Clients { get; init; }

        public override int ClientCount => Clients.Count;
    }

    /// <summary>
    /// Each client is a site, a trainer that was started with that name and a folder of its own (<c>--Cluster:Site</c>,
    /// <c>--Cluster:SiteData</c>), which holds what those of <c>folders</c> hold. What lies there is trained on there and nowhere else;
    /// evaluated is what <c>data</c> names, on all workers. A site that is away misses its rounds.
    /// </summary>
    public sealed record Sites : PartitionSpec
    {
        /// <summary>Names of the sites.</summary>
        [NotEmpty, Name]
        public required ValueList<string> Clients { get; init; }

        public override int ClientCount => Clients.Count;
    }
}

/// <summary>A client whose data lie in a folder of its own.</summary>
public sealed record ClientFolderSpec
{
    /// <summary>What it is called in records and messages.</summary>
    [Name]
    public required string Name { get; init; }

    /// <summary>Looked for like <c>data.path</c>.</summary>
    public required string Path { get; init; }
}

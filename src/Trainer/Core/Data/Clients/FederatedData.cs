using System.Collections.Immutable;
using Cluster.Contracts;
using Cluster.Contracts.Spec;
using Cluster.Contracts.Spec.Federated;

namespace Cluster.Trainer.Core.Data.Clients;

/// <summary>One client and what it holds.</summary>
/// <param name="Name">In records and messages; unique in a job.</param>
/// <param name="Set">Where its samples are read from.</param>
/// <param name="Samples">Numbers in the set of those that it trains on; at least one, but for a site that is elsewhere.</param>
internal sealed record ClientData(string Name, IDataSet Set, long[] Samples)
{
    /// <summary>Numbers of those that it never trains on, and evaluates the global model on.</summary>
    public long[] HeldBack { get; init; } = [];

    /// <summary>It is a site.</summary>
    public bool IsSite { get; init; }
}

/// <summary>The data of a federated job: what each client trains on, and what the global model is evaluated on.</summary>
internal sealed record FederatedData(ImmutableArray<ClientData> Clients, IDataSet Evaluation)
{
    /// <summary>Reads the data into memory and deals them out.</summary>
    /// <param name="spec">A checked spec of method fedHyper.</param>
    /// <param name="roots">Where to look; see <see cref="DataRoots"/>.</param>
    /// <param name="site">Where this process runs; its folder is read where the job names it, and no other site's ever is.</param>
    /// <exception cref="BadInputException">Data are missing or damaged, or a client would have none.</exception>
    public static FederatedData Open(JobSpec spec, IReadOnlyList<string> roots, SiteFolder? site = null)
    {
        var federated = spec.Federated ?? throw new ArgumentException("the spec was not checked: it is not federated", nameof(spec));
        var opening = new Opening(spec, roots, Stages.SequenceOf(spec), spec.Model is ModelSpec.Bert);
        var (clients, evaluation) = federated.Partition switch
        {
            PartitionSpec.Speaker speaker => opening.BySpeaker(speaker),
            PartitionSpec.Files => opening.ByFile(),
            PartitionSpec.Folders folders => (opening.ByFolder(folders), opening.Split(DataSplit.Evaluation)),
            PartitionSpec.Sites sites => opening.BySite(sites, site),
            _ => (opening.Dealt(federated.Partition), opening.Split(DataSplit.Evaluation)),
        };
        if (federated.MaxExamples is { } limit) { clients = clients.Select(client => client with { Samples = [.. client.Samples.Take(limit)] }); }
        if (federated.LocalEvaluation is { } local) { clients = clients.Select((client, i) => HoldBack(client, i, spec.Seed, local.Share)); }
        return new([.. clients], evaluation);
    }

    private static ClientData HoldBack(ClientData client, int number, long seed, double share)
    {
        var (train, evaluation) = HeldBack.Split(seed, number, client.Samples, share);
        return client with { Samples = train, HeldBack = evaluation };
    }

    private sealed class Opening(JobSpec spec, IReadOnlyList<string> roots, int? sequence, bool masked)
    {
        private readonly DataSpec _data = spec.Data ?? throw new ArgumentException("the spec was not checked: it has no data", nameof(spec));

        private DataSpec.Text Text => (DataSpec.Text)_data;

        public IDataSet Split(DataSplit split) => DataSets.Open(_data, roots, split, sequence, masked);

        public IEnumerable<ClientData> Dealt(PartitionSpec partition)
        {
            var set = Split(DataSplit.Train);
            var samples = (partition, set) switch
            {
                (PartitionSpec.Iid iid, _) => Partition.Iid(spec.Seed, set.Count, iid.Clients),
                (PartitionSpec.Dirichlet dirichlet, ILabelledSet labelled) => Partition.Dirichlet(spec.Seed, dirichlet, labelled.Labels, set.Classes),
                (PartitionSpec.Shards shards, ILabelledSet labelled) => Partition.Shards(spec.Seed, shards, labelled.Labels, set.Classes),
                _ => throw new BadInputException($"federated.partition.kind: {partition.GetType().Name.ToLowerInvariant()} deals out by classes, and the samples of data.kind {_data.GetType().Name.ToLowerInvariant()} have none"),
            };
            return samples.Select((numbers, i) => new ClientData($"client-{i}", set, numbers));
        }

        public IEnumerable<ClientData> ByFolder(PartitionSpec.Folders folders) =>
            folders.Clients.Select(client => All(client.Name, In(client.Path, roots)));

        public (IEnumerable<ClientData>, IDataSet) BySite(PartitionSpec.Sites sites, SiteFolder? here)
        {
            var evaluation = Split(DataSplit.Evaluation);
            return (sites.Clients.Select(Site), evaluation);

            ClientData Site(string name)
            {
                var data = here?.Name == name
                    ? All(name, In(Path.GetFullPath(here.Path), []))
                    : new ClientData(name, new ElsewhereSet(name, evaluation), []);
                return data with { IsSite = true };
            }
        }

        /// <summary>All that a folder of one client's own holds.</summary>
        private IDataSet In(string path, IReadOnlyList<string> dataRoots) =>
            _data is DataSpec.Text ? TextIn(DataSearch.FindFolder(path, dataRoots)) : DataSets.Open(ImagesIn(path), dataRoots, DataSplit.Train);

        private TextWindows TextIn(string folder) =>
            DataSets.Windows(Text, TextFiles.Read(TextFiles.In(folder), evaluationShare: 0, DataSplit.Train), sequence, masked, $"the text in {folder}");

        private DataSpec ImagesIn(string path) => _data switch
        {
            DataSpec.Digits digits => digits with { Path = path },
            DataSpec.Mnist mnist => mnist with { Path = path },
            DataSpec.FashionMnist fashion => fashion with { Path = path },
            DataSpec.Cifar10 cifar => cifar with { Path = path },
            _ => throw new BadInputException($"federated.partition.kind: folders and sites are for images and text, not for data.kind {_data.GetType().Name.ToLowerInvariant()}"),
        };

        public (IEnumerable<ClientData>, IDataSet) BySpeaker(PartitionSpec.Speaker partition)
        {
            var files = Text.Files.Select(file => DataSearch.FindFile(file, roots)).ToArray();
            byte[] play = [.. TextFiles.Read(files, Text.EvaluationShare, DataSplit.Train), .. TextFiles.Read(files, Text.EvaluationShare, DataSplit.Evaluation)];
            var source = string.Join(" + ", files);
            var speakers = Speakers.Of(play, source);
            if (speakers.Count < partition.Clients)
            {
                throw new BadInputException($"federated.partition.clients: found {partition.Clients}, but {source} has {speakers.Count} speakers");
            }

            return Parts(speakers.Take(partition.Clients).Select(speaker => (speaker.Name, Head(speaker.Text), Tail(speaker.Text))));
        }

        public (IEnumerable<ClientData>, IDataSet) ByFile() => Parts(Text.Files.Select(file =>
        {
            var path = DataSearch.FindFile(file, roots);
            return (file, TextFiles.Read([path], Text.EvaluationShare, DataSplit.Train), TextFiles.Read([path], Text.EvaluationShare, DataSplit.Evaluation));
        }));

        /// <summary>Each part's head for its client; the tails that hold a sample at all together for the evaluation.</summary>
        private (IEnumerable<ClientData>, IDataSet) Parts(IEnumerable<(string Name, byte[] Train, byte[] Evaluation)> parts)
        {
            var (clients, evaluation) = (new List<ClientData>(), new List<IDataSet>());
            foreach (var (name, train, rest) in parts)
            {
                clients.Add(All(name, DataSets.Windows(Text, train, sequence, masked, $"the training part of client '{name}'")));
                if (rest.Length > sequence) { evaluation.Add(DataSets.Windows(Text, rest, sequence, masked, $"the evaluation part of client '{name}'")); }
            }

            return evaluation.Count > 0
                ? (clients, new JoinedSet(evaluation))
                : throw new BadInputException($"no client's evaluation part has more than a window of {sequence} bytes. Give more text, a shorter sequence or a larger evaluationShare.");
        }

        private byte[] Head(byte[] text) => text[..Cut(text)];

        private byte[] Tail(byte[] text) => text[Cut(text)..];

        private int Cut(byte[] text) => (int)decimal.Floor(text.Length * (1 - (decimal)Text.EvaluationShare));

        private static ClientData All(string name, IDataSet set)
        {
            var samples = new long[set.Count];
            for (var i = 0; i < samples.Length; i++) { samples[i] = i; }
            return new(name, set, samples);
        }
    }
}

namespace Cluster.Contracts.Spec.Federated;

/// <summary>Rules between the keys of a federated job.</summary>
internal static class FederatedChecks
{
    private const string Root = "federated";

    public static void All(JobSpec job, SpecReport report)
    {
        if (job.Rounds is null)
        {
            report.Broken("rounds", "no such key", "a whole number at least 1");
        }

        if (job.Federated is not { } spec)
        {
            return;
        }

        StageChecks.SequenceOf(job, report);
        PartitionFitsData(job.Data, spec.Partition, report);
        ClientsAreEnough(job.Data, spec, report);
        OneLocalLength(spec, report);
        SitesAreAwaited(spec, report);
        if (spec.ClientsTogether > 1 && !FederatedSpec.CanTrainTogether(job))
        {
            report.Broken($"{Root}.clientsTogether", $"{spec.ClientsTogether} with {(spec.Sites.Count > 0 ? "sites" : "another model than an mlp without dropout, in float32, on images")}", "1, or no such key", "model.kind");
        }

        switch (spec.Scheduler)
        {
            case SchedulerSpec.FedHyper hyper:
                LocalBounds(hyper, spec.LocalLr, report);
                if (hyper.Mode == HyperMode.Released) { Released(hyper, spec, report); }
                break;
            case SchedulerSpec.FedExp:
                FedExp(spec, report);
                break;
            default:
                break;
        }
    }

    private static void PartitionFitsData(DataSpec? data, PartitionSpec partition, SpecReport report)
    {
        if (data is null)
        {
            return;
        }

        var (partitionKind, dataKind) = (SpecNames.Of(partition.GetType()), SpecNames.Of(data.GetType()));
        var (fits, wanted) = (partition, data) switch
        {
            (not PartitionSpec.Iid, DataSpec.Tokens) => (false, "iid: tokens have neither classes nor the names of those who wrote them"),
            (PartitionSpec.Dirichlet or PartitionSpec.Shards, DataSpec.Text) => (false, "iid, speaker, files, folders or sites: text has no classes"),
            (PartitionSpec.Speaker or PartitionSpec.Files, not DataSpec.Text) => (false, "iid, dirichlet, shards, folders or sites"),
            _ => (true, ""),
        };
        if (!fits)
        {
            report.Broken($"{Root}.partition.kind", $"{Quote.Show(partitionKind)} with data.kind {dataKind}", wanted, "data.kind");
        }
    }

    private static void ClientsAreEnough(DataSpec? data, FederatedSpec spec, SpecReport report)
    {
        const string clients = $"{Root}.partition.clients";
        var count = spec.Partition.ClientCount;
        if (spec.ClientsPerRound > count)
        {
            report.Broken($"{Root}.clientsPerRound", $"{spec.ClientsPerRound}, more than there are clients", $"a whole number at least 1 and at most {count}", clients);
        }
        else if (spec.Invited > count)
        {
            const string overSampling = $"{Root}.participation.overSampling";
            report.Broken(overSampling, $"{spec.Invited} clients in a round, more than there are", $"at most {count} clients: clientsPerRound {spec.ClientsPerRound} times overSampling", $"{Root}.clientsPerRound", clients);
        }

        if (spec.Partition is PartitionSpec.Files && data is DataSpec.Text { Files.Count: var files } && files != count)
        {
            report.Broken(clients, $"{count} with {files} data.files", $"{files}, one for each file", "data.files");
        }

        if (spec.Partition is PartitionSpec.Folders { Clients: var folders })
        {
            foreach (var (index, folder) in folders.Index().Where(f => folders.Take(f.Index).Any(before => before.Name == f.Item.Name)))
            {
                report.Broken($"{clients}[{index}].name", $"{Quote.Show(folder.Name)}, the name of an earlier client", "a name of its own for each client");
            }
        }
    }

    private static void SitesAreAwaited(FederatedSpec spec, SpecReport report)
    {
        const string clients = $"{Root}.partition.clients", deadline = $"{Root}.participation.deadlineSeconds";
        foreach (var (index, site) in spec.Sites.Index().Where(s => spec.Sites.Take(s.Index).Contains(s.Item)))
        {
            report.Broken($"{clients}[{index}]", $"{Quote.Show(site)}, the name of an earlier site", "each site once");
        }

        if (spec.Sites.Count > 0 && spec.Deadline is null)
        {
            report.Broken(deadline, "no such key with sites, which may be away", "a number of seconds: what a site may take, and how long is waited for one", $"{Root}.partition.kind");
        }
    }

    private static void OneLocalLength(FederatedSpec spec, SpecReport report)
    {
        const string steps = $"{Root}.localSteps", epochs = $"{Root}.localEpochs";
        switch (spec)
        {
            case { LocalSteps: not null, LocalEpochs: not null }:
                report.Broken(steps, "localSteps beside localEpochs", "one of the two", epochs);
                break;
            case { LocalSteps: null, LocalEpochs: null }:
                report.Broken(epochs, "neither localEpochs nor localSteps", "one of the two", steps);
                break;
            default:
                break;
        }
    }

    private static void LocalBounds(SchedulerSpec.FedHyper hyper, double localLr, SpecReport report)
    {
        const string window = $"{Root}.scheduler.localWindow", gamma = $"{Root}.scheduler.localGamma", rate = $"{Root}.localLr";
        SpecChecks.RangeIsOrdered(window, hyper.LocalWindow, report);
        if (hyper is { LocalWindow: not null, LocalGamma: not null })
        {
            report.Broken(gamma, "localGamma beside localWindow", "one of the two", window);
        }

        if (hyper is { Mode: HyperMode.Robust, LocalGamma: null, Variant: not HyperVariant.Global } && hyper.Window is var (low, high) && low <= high && (localLr < low || localLr > high))
        {
            var where = hyper.LocalWindow is null ? $"the window that {window} has by default" : window;
            report.Broken(rate, FormattableString.Invariant($"{localLr}, outside of {where}"), FormattableString.Invariant($"a rate from {low} to {high}, or another window"), window, $"{Root}.scheduler.mode");
        }
    }

    /// <summary>The released code has these rules on top of plain averaging; its CL rule is restated for plain SGD.</summary>
    private static void Released(SchedulerSpec.FedHyper hyper, FederatedSpec spec, SpecReport report)
    {
        const string mode = $"{Root}.scheduler.mode", server = $"{Root}.server.kind";
        if (spec.Server is not ServerSpec.FedAvg)
        {
            report.Broken(server, $"{SpecNames.Of(spec.Server.GetType())} with {mode} released", "fedAvg", mode);
        }

        if (hyper.Variant is HyperVariant.ClientLocal or HyperVariant.GlobalAndClientLocal && spec.LocalOptimizer is not LocalOptimizerSpec.Sgd { Momentum: 0, WeightDecay: 0 })
        {
            report.Broken($"{Root}.localOptimizer", $"another step than plain SGD with {mode} released", "kind sgd without momentum and weightDecay", mode);
        }
    }

    private static void FedExp(FederatedSpec spec, SpecReport report)
    {
        const string kind = $"{Root}.scheduler.kind";
        if (spec.Server is not ServerSpec.FedAvg)
        {
            report.Broken($"{Root}.server.kind", $"{SpecNames.Of(spec.Server.GetType())} with {kind} fedExp", "fedAvg", kind);
        }

        if (spec.GlobalLr != 1)
        {
            report.Broken($"{Root}.globalLr", FormattableString.Invariant($"{spec.GlobalLr} with {kind} fedExp, which computes it"), "1, or no such key", kind);
        }
    }
}

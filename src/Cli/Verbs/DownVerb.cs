using System.CommandLine;
using System.Diagnostics;
using Cluster.Cli.Up;
using Cluster.Client;
using Cluster.Contracts;

namespace Cluster.Cli.Verbs;

/// <summary><c>cluster down</c>: ends the cluster that <c>cluster up</c> started on a store, in order, and waits for it.</summary>
internal static class DownVerb
{
    private static readonly TimeSpan Deadline = TimeSpan.FromSeconds(30);

    public static Command Create()
    {
        var command = new Command("down", "Ends the cluster that 'up' started.") { VerbOptions.Store, VerbOptions.Json };
        command.SetAction((parsed, cancellationToken) =>
            EndAsync(Path.GetFullPath(parsed.GetRequiredValue(VerbOptions.Store)), parsed.GetValue(VerbOptions.Json), cancellationToken));
        return command;
    }

    private static async Task<int> EndAsync(string store, bool isJson, CancellationToken cancellationToken)
    {
        if (AddressFile.Read(store) is not { } address) { throw new ClusterUnreachableException($"no cluster runs on the store {store}, or it is another user's", cause: null); }
        if (IsFree(store))
        {
            AddressFile.Delete(store);
            throw new ClusterUnreachableException($"no cluster runs on the store {store}: its process {address.Pid} ended without a word", cause: null);
        }

        using (var client = new ClusterClient(new Uri(address.Url), address.Secret))
        {
            try
            {
                await client.ShutdownAsync(address.Secret, cancellationToken);
            }
            catch (ClusterUnreachableException away)
            {
                throw new ClusterUnreachableException($"the cluster's process {address.Pid} holds the store {store} and does not answer: {away.Message}", away);
            }
        }

        var began = Stopwatch.GetTimestamp();
        while (!IsFree(store))
        {
            if (Stopwatch.GetElapsedTime(began) > Deadline) { throw new ClusterUnreachableException($"the cluster's process {address.Pid} was asked to end and has not within {Deadline.TotalSeconds:0} s", cause: null); }
            await Task.Delay(TimeSpan.FromMilliseconds(50), cancellationToken);
        }

        Console.WriteLine(isJson ? address.ToJson() : $"The cluster at {address} has ended.");
        return ExitCodes.Succeeded;
    }

    private static bool IsFree(string store)
    {
        using var held = StoreLock.TryTake(store);
        return held is not null;
    }
}

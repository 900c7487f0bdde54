using System.CommandLine;
using Cluster.Cli.Verbs;
using Cluster.Client;
using Cluster.Contracts;
using Cluster.Trainer;

namespace Cluster.Cli;

/// <summary>All verbs of the tool, each a file in <c>Verbs</c>; and what becomes of a mistake.</summary>
internal static class CommandTree
{
    public static async Task<int> InvokeAsync(string[] args)
    {
        // The trainer's settings are configuration keys, not options of this tool.
        if (args is ["trainer", .. var settings]) { return await TrainerProcess.RunAsync(settings); }

        var parsed = Root().Parse(args);
        if (parsed.Errors.Count > 0)
        {
            foreach (var error in parsed.Errors) { await Console.Error.WriteLineAsync(error.Message); }
            await Console.Error.WriteLineAsync("See 'cluster --help'.");
            return ExitCodes.BadInput;
        }

        try
        {
            return await parsed.InvokeAsync(new InvocationConfiguration { EnableDefaultExceptionHandler = false, ProcessTerminationTimeout = null });
        }
        catch (BadInputException wrong)
        {
            await Console.Error.WriteLineAsync(wrong.Message);
            return ExitCodes.BadInput;
        }
        catch (ClusterUnreachableException unreachable)
        {
            await Console.Error.WriteLineAsync(unreachable.Message);
            return ExitCodes.NoCluster;
        }
        catch (Exception fault) when (fault is IOException or UnauthorizedAccessException)
        {
            await Console.Error.WriteLineAsync(fault.Message);
            return ExitCodes.BadInput;
        }
    }

    internal static RootCommand Root() => new("Trains neural networks on one machine or many; the answer does not depend on how many.")
    {
        RunVerb.Create(),
        ValidateVerb.Create(),
        ScheduleVerb.Create(),
        InspectVerb.Create(),
        GenerateVerb.Create(),
        DataVerb.Create(),

        UpVerb.Create(),
        DownVerb.Create(),
        SubmitVerb.Create(),
        UploadVerb.Create(),
        UploadVerb.CreateList(),
        UploadVerb.CreateRemove(),
        ListVerb.Create(),
        ShowVerb.Create(),
        WatchVerb.Create(),
        LogsVerb.Create(),
        CancelVerb.Create(),
        PauseVerb.Create(),
        ResumeVerb.Create(),
        CheckpointsVerb.Create(),
        ExportVerb.Create(),
        ReportVerb.Create(),
        LineageVerb.Create(),
        ParticipationVerb.Create(),
        AppendVerb.Create(),
        ReleaseVerb.Create(),
        WorkersVerb.Create(),
        DrainVerb.Create(),
        UndrainVerb.Create(),
        TokenVerb.Create(),

        new Command("trainer", "Runs one worker process. Settings: --Cluster:Gateway HOST:PORT, --Cluster:Id NAME, --Cluster:Address IP."),
    };
}

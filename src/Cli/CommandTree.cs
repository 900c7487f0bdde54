using System.CommandLine;
using Cluster.Cli.Run;
using Cluster.Client;
using Cluster.Contracts;
using Cluster.Trainer;

namespace Cluster.Cli;

/// <summary>All verbs and options of the tool. What they do is in the files beside this one.</summary>
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
        RunCommand(),
        ValidateCommand(),
        InspectCommand(),
        DataCommand(),
        new Command("trainer", "Runs one worker process. Settings: --Cluster:Gateway HOST:PORT, --Cluster:Id NAME, --Cluster:Address IP."),
    };

    private static readonly Argument<string> Spec = new("spec") { Description = "The job's YAML file." };

    private static readonly Option<string[]> Set = new("--set")
    {
        Description = "Overrides a key of the spec, for example --set seed=2 --set optimizer.kind=adamw.",
        HelpName = "key=value",
        AllowMultipleArgumentsPerToken = true,
    };

    private static readonly Option<string?> Data = new("--data") { Description = "Folder that holds data sets.", HelpName = "DIR" };

    private static Command RunCommand()
    {
        var workers = new Option<int?>("--workers") { Description = "Worker processes to start; the answer is the same for any number.", HelpName = "N" };
        var threads = new Option<int?>("--threads") { Description = "Math threads per worker; the same as --set threads=T.", HelpName = "T" };
        var store = new Option<string>("--store") { Description = "Where jobs keep checkpoints and logs.", HelpName = "DIR", DefaultValueFactory = _ => ".cluster" };
        var resume = new Option<bool>("--resume") { Description = "Goes on from the newest checkpoint of this spec's last job in the store." };
        var json = new Option<string?>("--json") { Description = "Writes the report as JSON at the end; - means standard output.", HelpName = "FILE|-" };
        var port = new Option<int>("--port") { Description = "Port of the embedded silo's gateway; chosen by the system when 0.", HelpName = "PORT" };
        var command = new Command("run", "Starts a silo and workers here, trains the job, and ends.") { Spec, workers, threads, store, Data, resume, Set, json, port };
        command.SetAction((parsed, _) => new EmbeddedRun(new RunOptions
        {
            SpecPath = parsed.GetRequiredValue(Spec),
            Overrides = [.. parsed.GetValue(Set) ?? [], .. parsed.GetValue(threads) is { } t ? [$"threads={t}"] : Array.Empty<string>()],
            Workers = parsed.GetValue(workers),
            Store = parsed.GetRequiredValue(store),
            Data = parsed.GetValue(Data),
            Resume = parsed.GetValue(resume),
            Json = parsed.GetValue(json),
            GatewayPort = parsed.GetValue(port),
        }).RunAsync());
        return command;
    }

    private static Command ValidateCommand()
    {
        var command = new Command("validate", "Checks a spec and says everything that is wrong with it.") { Spec, Set };
        command.SetAction(parsed =>
        {
            var spec = SpecFile.Read(parsed.GetRequiredValue(Spec), parsed.GetValue(Set) ?? []);
            Console.WriteLine($"{parsed.GetRequiredValue(Spec)}: {spec.Name} is a valid {spec.Method.ToString().ToLowerInvariant()} job.");
            return ExitCodes.Succeeded;
        });
        return command;
    }

    private static Command InspectCommand()
    {
        var path = new Argument<string>("path") { Description = "A checkpoint, a job's folder, or a .safetensors file." };
        var command = new Command("inspect", "Shows what a checkpoint is, and whether it is intact.") { path };
        command.SetAction(parsed => Inspect.Show(parsed.GetRequiredValue(path)));
        return command;
    }

    private static Command DataCommand()
    {
        var name = new Argument<string>("name") { Description = "Name of the data set; 'list' shows them." };
        var get = new Command("get", "Fetches a data set from its public home and checks it.") { name, Data };
        get.SetAction((parsed, cancellationToken) => GetData.RunAsync(parsed.GetRequiredValue(name), parsed.GetValue(Data), cancellationToken));
        return new Command("data", "Data sets.") { get };
    }
}

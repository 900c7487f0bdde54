using System.CommandLine;
using Cluster.Client;
using Cluster.Contracts.Spec;

namespace Cluster.Cli.Verbs;

/// <summary><c>cluster validate SPEC</c>: everything that is wrong with a spec, without starting anything.</summary>
internal static class ValidateVerb
{
    public static Command Create()
    {
        var command = new Command("validate", "Checks a spec and says everything that is wrong with it.") { VerbOptions.Spec, VerbOptions.Set };
        command.SetAction(parsed =>
        {
            var path = parsed.GetRequiredValue(VerbOptions.Spec);
            var spec = SpecFile.Read(path, parsed.GetValue(VerbOptions.Set) ?? []);
            Console.WriteLine($"{path}: {spec.Name} is a valid {SpecSummary.MethodOf(spec)} job.");
            return ExitCodes.Succeeded;
        });
        return command;
    }
}

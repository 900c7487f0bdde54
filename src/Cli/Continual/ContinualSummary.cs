using Cluster.Cli.Run;
using Cluster.Contracts;
using Cluster.Contracts.Spec.Continual;
using Cluster.Dashboard.Jobs;
using Cluster.Trainer.Core.Models;

namespace Cluster.Cli.Continual;

/// <summary>What <c>cluster run</c> shows at the end of a continual job: its lineage, what was forgotten, and a paragraph of the newest release.</summary>
internal static class ContinualSummary
{
    public static void Show(ContinualSpec spec, string folder, IReadOnlyList<string> dataRoots, RunScreen screen)
    {
        if (LineageFolder.Read(folder) is { } lineage) { screen.Show(LineageScreen.All(lineage)); }
        if (spec.Preview is not { } preview) { return; }

        using var text = new StringWriter();
        try
        {
            var checkpoint = GeneratedText.Find(folder, release: null);
            screen.Say($"{Path.GetFileName(checkpoint)} writes:");
            using var generator = TextGenerator.Open(checkpoint, tokenizer: null, dataRoots);
            GeneratedText.Write(generator, preview.Prompt, preview.Tokens, new Sampling(preview.Temperature), text);
            screen.Say(text.ToString());
        }
        catch (BadInputException reason)
        {
            screen.Say($"Nothing could be generated: {reason.Message}"); // The job has ended all the same.
        }
    }
}

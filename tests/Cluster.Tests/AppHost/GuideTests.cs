using System.Text.RegularExpressions;
using Cluster.Cli;
using Cluster.Tests.Spec;

namespace Cluster.Tests.AppHost;

/// <summary>What the guides tell people to type, and what they point to.</summary>
public sealed class GuideTests
{
    private const string Tool = "dotnet run -c Release --project src/Cli -- ";

    public static TheoryData<string> Guides =>
        [.. Directory.GetFiles(Path.Combine(SpecSamples.Root, "docs", "guides"), "*.md").Append(Path.Combine(SpecSamples.Root, "docs", "operations.md"))
            .Select(file => Path.GetRelativePath(SpecSamples.Root, file))];

    [Theory, MemberData(nameof(Guides))]
    public void The_tool_takes_every_command(string guide)
    {
        var commands = File.ReadLines(Path.Combine(SpecSamples.Root, guide)).Where(line => line.StartsWith(Tool, StringComparison.Ordinal)).ToArray();
        Assert.NotEmpty(commands);
        foreach (var words in commands.Select(line => line[Tool.Length..].Split('#')[0].Split(' ', StringSplitOptions.RemoveEmptyEntries)))
        {
            Assert.True(CommandTree.Root().Parse(words).Errors is [], $"{guide}: cluster {string.Join(' ', words)}");
            Assert.All(words.Where(word => word.StartsWith("samples/", StringComparison.Ordinal)), sample => Assert.True(File.Exists(Path.Combine(SpecSamples.Root, sample)), sample));
        }
    }

    [Theory, MemberData(nameof(Guides))]
    public void Every_link_leads_somewhere(string guide)
    {
        var folder = Path.GetDirectoryName(Path.Combine(SpecSamples.Root, guide))!;
        var links = Regex.Matches(File.ReadAllText(Path.Combine(SpecSamples.Root, guide)), @"\]\(([^)#]+)[^)]*\)").Select(match => match.Groups[1].Value);
        Assert.All(links.Where(link => !link.Contains("://", StringComparison.Ordinal)), link => Assert.True(Path.Exists(Path.Combine(folder, link)), $"{guide}: {link}"));
    }

    /// <summary>Settings are documented where they are read: the heads of the programs, and the settings of the trainer.</summary>
    [Theory, MemberData(nameof(Guides))]
    public void Every_setting_is_one_of_a_process(string guide)
    {
        string[] sources = ["src/Grains/Program.cs", "src/Dashboard/Program.cs", "src/AppHost/apphost.cs"];
        var documented = string.Join('\n', sources.Select(file => File.ReadAllText(Path.Combine(SpecSamples.Root, file))));
        var trainer = File.ReadAllText(Path.Combine(SpecSamples.Root, "src/Trainer/Worker/TrainerSettings.cs"));
        var named = Regex.Matches(File.ReadAllText(Path.Combine(SpecSamples.Root, guide)), @"\b(?:Cluster|Orleans|AppHost|ConnectionStrings)(?::|__)\w+").Select(match => match.Value.Replace("__", ":", StringComparison.Ordinal));
        Assert.All(named, key => Assert.True(
            documented.Contains(key, StringComparison.Ordinal) || Regex.IsMatch(trainer, $@" {Regex.Escape(key.Replace("Cluster:", "", StringComparison.Ordinal))} {{ get;"), $"{guide}: {key}"));
    }
}

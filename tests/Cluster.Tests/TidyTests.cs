using System.CommandLine;
using System.Text.RegularExpressions;
using System.Xml.Linq;
using Cluster.Cli;
using Cluster.Contracts.Spec;

namespace Cluster.Tests;

/// <summary>The walls between the layers, and what else would only be a wish if nothing checked it.</summary>
public sealed class TidyTests
{
    private static readonly string s_root = FindRoot();

    private static readonly Dictionary<string, string[]> s_mayReference = new()
    {
        ["Contracts"] = [],
        ["ServiceDefaults"] = ["Contracts"],
        ["Client"] = ["Contracts"],
        ["Dashboard"] = ["Contracts", "ServiceDefaults"],
        ["Grains"] = ["Contracts", "ServiceDefaults"],
        ["Trainer"] = ["Contracts", "ServiceDefaults"],
        ["Cli"] = ["Client", "Contracts", "Dashboard", "Grains", "ServiceDefaults", "Trainer"],
    };

    private static readonly (string Folder, string[] Banned, string Why)[] s_mayNotUse =
    [
        ("src/Trainer/Core", ["Cluster.Trainer.Methods"], "shared parts know no method"),
        ("src/Trainer/Core", ["Cluster.Trainer.Rounds", "Cluster.Trainer.Worker", "Cluster.Contracts.Jobs", "Orleans"], "the compute core runs without a cluster"),
        ("src/Trainer/Methods", ["Cluster.Trainer.Rounds", "Cluster.Trainer.Worker", "Cluster.Trainer.Core.Collectives", "Cluster.Contracts.Jobs", "Orleans"], "a method is maths: it knows neither ranks nor the cluster"),
        ("src/Trainer/Rounds", ["Cluster.Trainer.Worker", "Cluster.Trainer.Methods.Continual", "Cluster.Trainer.Methods.FedHyper", "Cluster.Trainer.Methods.ForwardForward", "Cluster.Trainer.Methods.Lamb", "Cluster.Contracts.Jobs", "Orleans"], "the loop runs any method on any mesh"),
        ("src/Contracts", ["Cluster.Client", "Cluster.Dashboard", "Cluster.Grains", "Cluster.Trainer", "TorchSharp"], "what all share depends on none"),
        ("src/Grains", ["TorchSharp"], "the control plane does no maths"),
    ];

    [Fact]
    public void Projects_reference_only_what_their_layer_may()
    {
        var projects = Directory.GetFiles(Path.Combine(s_root, "src"), "*.csproj", SearchOption.AllDirectories);
        Assert.Equal(s_mayReference.Keys.Order(), projects.Select(Path.GetFileNameWithoutExtension).Order());
        foreach (var project in projects)
        {
            var name = Path.GetFileNameWithoutExtension(project);
            var references = XDocument.Load(project).Descendants("ProjectReference")
                .Select(reference => Path.GetFileNameWithoutExtension(reference.Attribute("Include")!.Value.Replace('\\', '/')));
            Assert.True(references.Except(s_mayReference[name]).ToArray() is [], $"{name} may reference {string.Join(", ", s_mayReference[name])} and nothing else of ours");
        }
    }

    [Fact]
    public void Folders_use_only_what_their_layer_may()
    {
        var found = from wall in s_mayNotUse
                    from file in Sources(wall.Folder)
                    from banned in wall.Banned
                    from line in File.ReadLines(file)
                    where Uses(line, banned)
                    select $"{Path.GetRelativePath(s_root, file)} uses {banned}, but {wall.Why}: {line.Trim()}";
        Assert.Empty(found);
    }

    [Theory]
    [InlineData("using Orleans;", "Orleans", true)]
    [InlineData("    var grain = Orleans.Core.Grain;", "Orleans", true)]
    [InlineData("/// An Orleans client.", "Orleans", false)]
    [InlineData("using static Cluster.Trainer.Methods.Lamb.Lamb;", "Cluster.Trainer.Methods", true)]
    [InlineData("    Methods.TrainingMethods.Create(spec)", "Cluster.Trainer.Methods", true)]
    [InlineData("using Cluster.Trainer.MethodsOfNobody;", "Cluster.Trainer.Methods", false)]
    [InlineData("    for (var i = 0; i < plan.Rounds.Count; i++)", "Cluster.Trainer.Rounds", false)]
    public void A_use_is_seen_and_a_mention_is_none(string line, string banned, bool uses) => Assert.Equal(uses, Uses(line, banned));

    [Fact]
    public void Namespaces_follow_folders()
    {
        foreach (var file in Sources("src"))
        {
            var parts = Path.GetDirectoryName(Path.GetRelativePath(Path.Combine(s_root, "src"), file))!.Replace(Path.DirectorySeparatorChar, '.');
            var declared = File.ReadLines(file).FirstOrDefault(line => line.StartsWith("namespace ", StringComparison.Ordinal));
            Assert.True(declared is null || declared == $"namespace Cluster.{parts};", $"{Path.GetRelativePath(s_root, file)}: {declared}");
        }
    }

    [Fact]
    public void Versions_of_packages_stand_in_one_file()
    {
        string[] projects = [.. Files("*.csproj"), .. Files("*.props"), .. Files("*.targets")];
        var elsewhere = from file in projects
                        where Path.GetFileName(file) != "Directory.Packages.props"
                        from element in XDocument.Load(file).Descendants()
                        where element.Name.LocalName is "PackageVersion"
                            || (element.Name.LocalName is "PackageReference" && (element.Attribute("Version") ?? element.Attribute("VersionOverride")) is not null)
                        select $"{Path.GetRelativePath(s_root, file)}: {element}";
        Assert.NotEmpty(projects);
        Assert.Empty(elsewhere);
    }

    [Fact]
    public void Nothing_is_left_to_be_done()
    {
        var promise = new Regex(@"\b(TODO|FIXME|HACK|XXX|NotImplementedException)\b|\b(for now|placeholder)\b", RegexOptions.IgnoreCase);
        var found = from file in Sources("src").Concat(Sources("benchmarks"))
                    from line in File.ReadLines(file).Select((text, index) => (Text: text, Number: index + 1))
                    where promise.IsMatch(line.Text)
                    select $"{Path.GetRelativePath(s_root, file)}:{line.Number}: {line.Text.Trim()}";
        Assert.Empty(found);
    }

    /// <summary>The compiler enforces the list; here nobody empties it or switches it off.</summary>
    [Fact]
    public void Wall_clock_shared_chance_and_sleep_are_banned_everywhere()
    {
        var banned = File.ReadAllText(Path.Combine(s_root, "BannedSymbols.txt"));
        foreach (var symbol in (string[])["System.DateTime.UtcNow", "System.DateTime.Now", "System.DateTimeOffset.UtcNow", "System.DateTimeOffset.Now", "System.Random.Shared", "System.Threading.Thread.Sleep"])
        {
            Assert.Contains(symbol, banned, StringComparison.Ordinal);
        }

        Assert.Contains("BannedSymbols.txt", File.ReadAllText(Path.Combine(s_root, "Directory.Build.props")), StringComparison.Ordinal);
        Assert.DoesNotContain(Sources("src"), file => File.ReadAllText(file).Contains("RS0030", StringComparison.Ordinal));
    }

    [Fact]
    public void Every_sample_is_a_valid_spec_without_an_override()
    {
        var samples = Directory.GetFiles(Path.Combine(s_root, "samples"), "*.yaml");
        Assert.NotEmpty(samples);
        Assert.All(samples, sample => Assert.Empty(SpecReader.ReadFile(sample).Problems));
    }

    [Fact]
    public void Every_sample_and_source_that_the_README_names_is_there()
    {
        var named = Regex.Matches(File.ReadAllText(Path.Combine(s_root, "README.md")), @"(?<![\w/.])(samples|src|tests)/[\w./-]*\w").Select(match => match.Value).ToArray();
        Assert.Contains(named, path => path.StartsWith("samples/", StringComparison.Ordinal));
        Assert.DoesNotContain(named, path => !Path.Exists(Path.Combine(s_root, path)));
    }

    /// <summary>Whoever adds, renames or removes an option sees here that it is part of what users rely on.</summary>
    [Fact]
    public void The_tool_has_these_verbs_and_options()
    {
        string[] expected =
        [
            "cluster --help", "cluster --version",
            .. Asks("append", "<job>", "<stage>", "--data", "--no-wait"),
            .. Asks("cancel", "<job>", "--reason"),
            .. Asks("checkpoints", "<job>"),
            .. Asks("drain", "<worker>", "--wait"),
            .. Asks("export", "<job>", "<path>", "--format", "--round"),
            .. Asks("lineage", "<job>"),
            .. Asks("list", "--count", "--skip", "--state"),
            .. Asks("logs", "<job>", "--follow", "--worker"),
            .. Asks("participation", "<job>", "--after", "--count"),
            .. Asks("pause", "<job>", "--reason"),
            .. Asks("release", "<job>", "<name>", "--apart", "--at", "--min", "--mixture", "--no-wait", "--steps", "--tail", "--workers"),
            .. Asks("remove-upload", "<name>"),
            .. Asks("report", "<job>", "<path>"),
            .. Asks("resume", "<job>"),
            .. Asks("show", "<job>"),
            .. Asks("submit", "<spec>", "--data", "--follow", "--set", "--workers"),
            .. Asks("undrain", "<worker>"),
            .. Asks("upload", "<file>", "--name"),
            .. Asks("uploads", "--count", "--skip"),
            .. Asks("watch", "<job>"),
            .. Asks("workers"),
            "cluster up", "cluster up --detach", "cluster up --gateway-port", "cluster up --json", "cluster up --port", "cluster up --store", "cluster up --workers",
            "cluster down", "cluster down --json", "cluster down --store",
            "cluster data", "cluster data get", "cluster data get <name>", "cluster data get --data",
            "cluster data partition", "cluster data partition <spec>", "cluster data partition --data", "cluster data partition --json",
            "cluster data partition --png", "cluster data partition --set",
            "cluster data tokenize", "cluster data tokenize <input>", "cluster data tokenize --field", "cluster data tokenize --format",
            "cluster data tokenize --out", "cluster data tokenize --shard-tokens", "cluster data tokenize --tokenizer",
            "cluster data train-tokenizer", "cluster data train-tokenizer <input>", "cluster data train-tokenizer --field",
            "cluster data train-tokenizer --format", "cluster data train-tokenizer --out", "cluster data train-tokenizer --vocabulary",
            "cluster generate", "cluster generate --data", "cluster generate --tokenizer", "cluster generate <path>", "cluster generate --prompt", "cluster generate --release", "cluster generate --seed",
            "cluster generate --temperature", "cluster generate --tokens", "cluster generate --top-k",
            "cluster inspect", "cluster inspect <path>",
            "cluster run", "cluster run <spec>", "cluster run --data", "cluster run --json", "cluster run --port", "cluster run --resume",
            "cluster run --set", "cluster run --store", "cluster run --threads", "cluster run --workers",
            "cluster schedule", "cluster schedule <spec>", "cluster schedule --data", "cluster schedule --png", "cluster schedule --set",
            "cluster token", "cluster token create", "cluster token create --days", "cluster token create --file", "cluster token create --json",
            "cluster token create --name", "cluster token create --role", "cluster token create --store",
            "cluster token list", "cluster token list --file", "cluster token list --json", "cluster token list --store",
            "cluster token revoke", "cluster token revoke <token>", "cluster token revoke --file", "cluster token revoke --store",
            "cluster trainer",
            "cluster validate", "cluster validate <spec>", "cluster validate --set",
        ];
        var root = CommandTree.Root();
        Assert.Equal(expected.Order(StringComparer.Ordinal), Under(root, "cluster").Order(StringComparer.Ordinal));
        Assert.DoesNotContain(Descriptions(root), symbol => string.IsNullOrWhiteSpace(symbol.Description));

        // Whatever asks a running cluster can be told which, and answers programs too.
        static IEnumerable<string> Asks(string verb, params string[] symbols) =>
            [$"cluster {verb}", .. symbols.Concat(["--cluster", "--json", "--token-file"]).Select(symbol => $"cluster {verb} {symbol}")];

        static IEnumerable<string> Under(Command command, string path) =>
        [
            .. command.Options.Select(option => $"{path} {option.Name}"),
            .. command.Arguments.Select(argument => $"{path} <{argument.Name}>"),
            .. command.Subcommands.SelectMany(sub => Under(sub, $"{path} {sub.Name}").Prepend($"{path} {sub.Name}")),
        ];

        static IEnumerable<Symbol> Descriptions(Command command) => [command, .. command.Options, .. command.Arguments, .. command.Subcommands.SelectMany(Descriptions)];
    }

    /// <summary>A using directive, a full name, or a name that is relative to <c>Cluster.Trainer</c>.</summary>
    private static bool Uses(string line, string banned)
    {
        var name = Regex.Escape(banned);
        if (Regex.IsMatch(line, $@"^\s*(global )?using (static )?(\w+ = )?{name}\b") || Regex.IsMatch(line, $@"(?<![\w.]){name}\.\w")) { return true; }
        return banned.StartsWith("Cluster.Trainer.", StringComparison.Ordinal)
            && Regex.IsMatch(line, $@"(?<![\w.]){Regex.Escape(banned["Cluster.Trainer.".Length..])}\.[A-Z]");
    }

    private static IEnumerable<string> Sources(string folder) => Files("*.cs", folder);

    private static IEnumerable<string> Files(string pattern, string folder = "") =>
        Directory.EnumerateFiles(Path.Combine(s_root, folder), pattern, SearchOption.AllDirectories)
            .Where(file => !Path.GetRelativePath(s_root, file).Split(Path.DirectorySeparatorChar).Any(part => part is "bin" or "obj" || part.StartsWith('.')));

    private static string FindRoot()
    {
        var folder = new DirectoryInfo(AppContext.BaseDirectory);
        while (!File.Exists(Path.Combine(folder.FullName, "Cluster.sln")))
        {
            folder = folder.Parent ?? throw new InvalidOperationException($"no Cluster.sln above {AppContext.BaseDirectory}");
        }

        return folder.FullName;
    }
}

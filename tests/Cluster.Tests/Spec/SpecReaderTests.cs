using System.Diagnostics;
using Cluster.Contracts;
using Cluster.Contracts.Spec;

namespace Cluster.Tests.Spec;

public sealed class SpecReaderTests
{
    public static TheoryData<string> Samples => [.. Directory.GetFiles(Path.Combine(SpecSamples.Root, "samples"), "*.yaml").Select(f => Path.GetFileName(f)!)];

    [Theory]
    [MemberData(nameof(Samples))]
    public void Every_sample_is_a_valid_spec(string file)
    {
        var result = SpecReader.ReadFile(Path.Combine(SpecSamples.Root, "samples", file));

        Assert.Empty(result.Problems);
        Assert.Equal(Path.GetFileNameWithoutExtension(file), result.Require().Name);
    }

    [Fact]
    public void What_is_written_is_what_is_read()
    {
        var spec = SpecSamples.Read(SpecSamples.Stages);

        Assert.Equal(new ModelSpec.Bert { Context = 512 }, spec.Model);
        Assert.Equal(new DataSpec.Text { Files = ["a.txt"] }, spec.Data);
        Assert.Equal(new ScheduleSpec { Lr = 0.01, WarmupShare = 0.1 }, spec.Schedule);
        Assert.Equal(new StageSpec { Name = "long", Batch = 32, Epochs = 1, Sequence = 512 }, spec.Stages[1]);
        Assert.Null(spec.Batch);
        Assert.Equal(new OptimizerSpec(), spec.Optimizer);
    }

    [Fact]
    public void All_problems_are_found_at_once_in_the_order_of_the_lines()
    {
        var result = SpecReader.Read(
            """
            name: My Job
            method: lamb
            model: {kind: gpt, width: 100, heads: 3, layer: 2}
            data: {kind: digits}
            batch: 0
            epochs: 1
            rounds: 1
            optimizer:
              kind: lars
              beta1: 1.5
              momentum: 1
            schedule: {lr: -1}
            scaling: {rule: cubic}
            """, "job.yaml", ["threads=0", "colour=red"]);

        Assert.Equal(
            [
                "job.yaml:1: name", "job.yaml:3: model.layer", "job.yaml:3: model.heads", "job.yaml:4: data.kind", "job.yaml:5: batch",
                "job.yaml:7: rounds", "job.yaml:10: optimizer.beta1", "job.yaml:11: optimizer.momentum", "job.yaml:12: schedule.lr",
                "job.yaml:13: scaling.rule", "job.yaml:13: scaling.base", "--set threads=0: threads", "--set colour=red: colour",
            ],
            result.Problems.Select(p => p.ToString().Split(": found")[0]));
        var thrown = Assert.Throws<BadInputException>(() => result.Require());
        Assert.Equal(13, thrown.Message.Split('\n').Length);
    }

    [Fact]
    public void A_problem_reads_as_file_line_key_found_and_allowed() => Assert.Equal(
        "digits.yaml:9: optimizer.beta1: found \"1.5\", allowed: a number at least 0 and below 1",
        SpecReader.Read(SpecSamples.Digits.Replace("0.9", "1.5", StringComparison.Ordinal), "digits.yaml").Problems.Single().ToString());

    [Theory]
    [InlineData("", "an empty file")]
    [InlineData("# only a comment\n", "an empty file")]
    [InlineData("---\n", "an empty file")]
    [InlineData("~", "an empty file")]
    [InlineData("lamb", "\"lamb\"")]
    [InlineData("- lamb", "a list")]
    [InlineData("\0\u0001\u0002", "")]
    [InlineData("%YAML 9.9\n---\na: 1", "")]
    [InlineData("\"unclosed", "")]
    [InlineData("a: b: c", "")]
    [InlineData("a:\n\tb: 1", "")]
    public void What_is_no_mapping_is_one_problem(string yaml, string found)
    {
        var problem = Assert.Single(SpecReader.Read(yaml, "spec.yaml").Problems);

        Assert.Contains(found, problem.Found, StringComparison.Ordinal);
        Assert.InRange(problem.Line, 1, 3);
    }

    [Fact]
    public void Files_that_cannot_be_read_are_problems()
    {
        var folder = Directory.CreateTempSubdirectory("cluster-spec-");
        try
        {
            var large = Path.Combine(folder.FullName, "large.yaml");
            File.WriteAllText(large, new string('#', SpecReader.MaxBytes + 1));
            var binary = Path.Combine(folder.FullName, "binary.yaml");
            File.WriteAllBytes(binary, [0xC3, 0x28, 0xFF]);

            Assert.Contains("more than 1 MiB", Problem(large), StringComparison.Ordinal);
            Assert.Contains("not UTF-8", Problem(binary), StringComparison.Ordinal);
            Assert.Contains("no such file", Problem(Path.Combine(folder.FullName, "missing.yaml")), StringComparison.Ordinal);
            Assert.Contains("no such file", Problem(Path.Combine(folder.FullName, "no", "folder.yaml")), StringComparison.Ordinal);
            Assert.Contains("cannot be read", Problem(folder.FullName), StringComparison.Ordinal);
            Assert.Contains("cannot be read", Problem("a\0b.yaml"), StringComparison.Ordinal);
            Assert.Contains("cannot be read", Problem(""), StringComparison.Ordinal);
        }
        finally
        {
            folder.Delete(recursive: true);
        }

        static string Problem(string path) => Assert.Single(SpecReader.ReadFile(path).Problems).ToString();
    }

    public static TheoryData<string, string> Hostile => new()
    {
        { "brackets", new string('[', 1_000_000) },
        { "braces", string.Concat(Enumerable.Repeat("{a: ", 250_000)) },
        { "indents", string.Concat(Enumerable.Range(0, 1_000).Select(i => $"{new string(' ', i)}a:\n")) },
        { "laughs", string.Concat(Enumerable.Range(1, 30).Select(i => $"a{i}: &a{i} [*a{i - 1}, *a{i - 1}]\n")) },
        { "repeats", string.Concat(Enumerable.Repeat("name: a\n", 100_000)) },
        { "unknown", string.Concat(Enumerable.Range(0, 9_000).Select(i => $"k{i}: {i}\n")) },
        { "layers", $"model: {{kind: mlp, hidden: [{string.Join(',', Enumerable.Repeat(0, 400_000))}]}}" },
        { "stages", $"stages: [{string.Join(',', Enumerable.Repeat("{}", 300_000))}]" },
        { "items", $"stages: [{string.Join(',', Enumerable.Repeat("{}", 19_000))}]" },
        { "dashes", string.Concat(Enumerable.Repeat("- ", 500_000)) },
        { "questions", string.Concat(Enumerable.Repeat("? ", 500_000)) },
        { "long key", new string('k', 1_000_000) + ": 1" },
        { "long value", "name: " + new string('v', 1_000_000) },
    };

    [Theory]
    [MemberData(nameof(Hostile))]
    public void A_hostile_file_gives_few_problems_soon(string kind, string yaml)
    {
        var watch = Stopwatch.StartNew();
        var problems = SpecReader.Read(yaml, kind).Problems;

        Assert.InRange(problems.Count, 1, 101);
        Assert.All(problems, p => Assert.InRange(p.ToString().Length, 1, 2_000));
        Assert.InRange(watch.Elapsed.TotalSeconds, 0, 20);
    }

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    public void Whatever_is_typed_gives_a_spec_or_problems_and_never_throws(int seed)
    {
        var random = new Random(seed);
        string[] samples = [SpecSamples.Digits, SpecSamples.Text, SpecSamples.Stages];
        const string Typed = ":{}[],-?&*!|>'\"%@`#\n\t \\ab0.9e~\0\u2028\ud800";
        for (var i = 0; i < 1_000; i++)
        {
            var text = samples[random.Next(samples.Length)].ToList();
            for (var edit = random.Next(1, 6); edit > 0; edit--)
            {
                var at = random.Next(text.Count);
                switch (random.Next(3))
                {
                    case 0:
                        text.RemoveAt(at);
                        break;
                    case 1:
                        text.Insert(at, Typed[random.Next(Typed.Length)]);
                        break;
                    default:
                        var count = Math.Min(random.Next(1, 20), text.Count - at);
                        text.InsertRange(random.Next(text.Count), text.GetRange(at, count));
                        break;
                }
            }

            var yaml = string.Concat(text);
            var result = SpecReader.Read(yaml, "spec.yaml");

            Assert.True(result.Spec is null == result.Problems.Count > 0, $"seed {seed}, edit {i}:\n{yaml}");
            Assert.All(result.Problems, p => Assert.True(
                p.Found.Length > 0 && p.Allowed.Length > 0 && p.Line >= 1 && p.Line <= text.Count(c => c is '\n' or '\u2028') + 1,
                $"seed {seed}, edit {i}: {p}\n{yaml}"));
        }
    }
}

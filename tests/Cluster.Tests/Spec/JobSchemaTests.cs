using System.Text.Encodings.Web;
using System.Text.Json;
using Cluster.Contracts.Spec;

namespace Cluster.Tests.Spec;

public sealed class JobSchemaTests
{
    /// <summary>Set to 1 to write the file instead of comparing with it.</summary>
    private const string Rewrite = "CLUSTER_WRITE_SCHEMA";

    private static readonly JsonSerializerOptions Readable = new() { WriteIndented = true, NewLine = "\n", Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    [Fact]
    public void The_published_schema_is_the_one_that_the_records_give()
    {
        var file = Path.Combine(SpecSamples.Root, "docs", "job.schema.json");
        var generated = new JobSchema(new DocComments(typeof(JobSpec).Assembly)).Generate().ToJsonString(Readable) + "\n";
        if (Environment.GetEnvironmentVariable(Rewrite) == "1")
        {
            File.WriteAllText(file, generated);
        }

        Assert.True(
            File.Exists(file) && File.ReadAllText(file).ReplaceLineEndings("\n") == generated,
            $"docs/job.schema.json is not what the spec records give: run this test with {Rewrite}=1 and commit the file");
    }

    [Fact]
    public void Every_sample_names_the_schema_in_its_first_line() => Assert.All(
        Directory.GetFiles(Path.Combine(SpecSamples.Root, "samples"), "*.yaml"),
        file => Assert.Equal("# yaml-language-server: $schema=../docs/job.schema.json", File.ReadLines(file).First()));
}

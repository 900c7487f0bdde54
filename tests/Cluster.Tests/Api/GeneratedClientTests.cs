using System.Reflection;
using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.CSharp;
using NJsonSchema.CodeGeneration.CSharp;
using NSwag;
using NSwag.CodeGeneration.CSharp;

namespace Cluster.Tests.Api;

/// <summary>A client that somebody else's tool generates from the OpenAPI document compiles, and works.</summary>
public sealed class GeneratedClientTests(TestApi api) : IClassFixture<TestApi>
{
    private const string Name = "Generated";

    /// <summary>What its user adds, as docs/guides/api.md says: a loss may be no number.</summary>
    private const string Numbers = """
        namespace Generated;
        partial class Generated
        {
            static partial void UpdateJsonSerializerSettings(System.Text.Json.JsonSerializerOptions settings) =>
                settings.NumberHandling = System.Text.Json.Serialization.JsonNumberHandling.AllowNamedFloatingPointLiterals;
        }
        """;

    [Fact]
    public async Task It_compiles_and_reads_jobs()
    {
        using var http = new HttpClient(new SocketsHttpHandler { UseProxy = false }) { BaseAddress = api.Url };
        var client = Activator.CreateInstance(Compile(await GenerateAsync()), http)!;
        api.Cluster.Add("generated").Reach(3);

        var job = await CallAsync(client, "GetJobAsync", "generated");
        Assert.Equal(("generated", 3L), (Read(job, "JobId"), Read(job, "Round")));
        Assert.Equal(1.0 / 3, ((IDictionary<string, double>)Read(job, "Metrics")!)["loss"]);

        var missing = await Assert.ThrowsAnyAsync<Exception>(() => CallAsync(client, "GetJobAsync", "nobody"));
        Assert.Equal(404, Read(missing, "StatusCode"));
        Assert.Contains("nobody", (string)Read(Read(missing, "Result")!, "Detail")!, StringComparison.Ordinal);
    }

    private async Task<string> GenerateAsync()
    {
        var document = await OpenApiDocument.FromJsonAsync(await api.Http.GetStringAsync("openapi.json"));
        return new CSharpClientGenerator(document, new CSharpClientGeneratorSettings
        {
            ClassName = Name,
            UseBaseUrl = false,
            CSharpGeneratorSettings = { Namespace = Name, JsonLibrary = CSharpJsonLibrary.SystemTextJson },
        }).GenerateFile();
    }

    private static Type Compile(string code)
    {
        var known = ((string)AppContext.GetData("TRUSTED_PLATFORM_ASSEMBLIES")!).Split(Path.PathSeparator).Select(path => MetadataReference.CreateFromFile(path));
        var compilation = CSharpCompilation.Create(Name, [CSharpSyntaxTree.ParseText(code), CSharpSyntaxTree.ParseText(Numbers)], known, new(OutputKind.DynamicallyLinkedLibrary));
        using var assembly = new MemoryStream();
        var result = compilation.Emit(assembly);
        Assert.True(result.Success, string.Join('\n', result.Diagnostics.Where(d => d.Severity is DiagnosticSeverity.Error)));
        return Assembly.Load(assembly.ToArray()).GetType($"{Name}.{Name}")!;
    }

    private static async Task<object> CallAsync(object client, string method, params object[] arguments)
    {
        var task = (Task)client.GetType().GetMethod(method, [.. arguments.Select(a => a.GetType())])!.Invoke(client, arguments)!;
        await task;
        return Read(task, "Result")!;
    }

    private static object? Read(object from, string property) => from.GetType().GetProperty(property)!.GetValue(from);
}

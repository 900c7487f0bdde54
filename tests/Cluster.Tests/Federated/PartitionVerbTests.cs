using System.Buffers.Binary;
using System.Text.Json;
using Cluster.Tests.Data;
using Cluster.Tests.EndToEnd;
using Cluster.Tests.Spec;

namespace Cluster.Tests.Federated;

/// <summary><c>cluster data partition</c>, as a user types it.</summary>
[Collection(EndToEndTests.Name)]
public sealed class PartitionVerbTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    private static string Sample => Path.Combine(SpecSamples.Root, "samples", "fedhyper-digits.yaml");

    [Fact]
    public async Task Every_client_is_shown_with_its_classes()
    {
        var result = await Tool.RunHereAsync("data", "partition", Sample);
        Assert.True(result.ExitCode == 0, result.All);
        Assert.Contains("client-0 ", result.Output, StringComparison.Ordinal);
        Assert.Contains("client-29 ", result.Output, StringComparison.Ordinal);
        Assert.Contains("3,823, of one client ", result.Output, StringComparison.Ordinal);
        Assert.Contains("1,797 samples", result.Output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task As_json_it_adds_up_and_follows_from_the_seed()
    {
        var one = await ReadAsync();
        var clients = one.GetProperty("clients").EnumerateArray().ToArray();
        Assert.Equal(30, clients.Length);
        Assert.Equal(3_823, clients.Sum(client => client.GetProperty("samples").GetInt64()));
        Assert.All(clients, client => Assert.Equal(client.GetProperty("samples").GetInt64(), client.GetProperty("classes").EnumerateArray().Sum(count => count.GetInt32())));
        Assert.All(clients, client => Assert.True(client.GetProperty("samples").GetInt64() >= 8)); // minExamples.

        Assert.Equal(one.GetProperty("sha256").GetString(), (await ReadAsync()).GetProperty("sha256").GetString());
        Assert.NotEqual(one.GetProperty("sha256").GetString(), (await ReadAsync("--set", "seed=2")).GetProperty("sha256").GetString());
    }

    [Fact]
    public async Task What_clients_hold_back_is_shown()
    {
        string[] held = ["--set", "federated.localEvaluation={share: 0.2}"];
        var clients = (await ReadAsync(held)).GetProperty("clients").EnumerateArray().Select(client => (Train: client.GetProperty("samples").GetInt64(), Held: client.GetProperty("heldBack").GetInt64())).ToArray();
        Assert.Equal(3_823, clients.Sum(client => client.Train + client.Held));
        Assert.All(clients, client => Assert.Equal(0.2 * (client.Train + client.Held), client.Held, 0.5));

        var result = await Tool.RunHereAsync(["data", "partition", Sample, .. held]);
        Assert.Contains($"1,797 samples, and {clients.Sum(client => client.Held)} that the clients hold back", result.Output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task The_plot_is_a_png_of_its_size()
    {
        var file = Path.Combine(_folder.Path, "holdings.png");
        var result = await Tool.RunHereAsync("data", "partition", Sample, "--png", file);
        Assert.True(result.ExitCode == 0, result.All);
        var bytes = await File.ReadAllBytesAsync(file);
        Assert.Equal([0x89, (byte)'P', (byte)'N', (byte)'G'], bytes[..4]);
        Assert.Equal((1200, 560), (BinaryPrimitives.ReadInt32BigEndian(bytes.AsSpan(16)), BinaryPrimitives.ReadInt32BigEndian(bytes.AsSpan(20))));
        Assert.True(bytes.Length > 5_000, $"{bytes.Length} bytes hold no bars");
    }

    [Theory]
    [InlineData("method: found lamb, allowed: fedHyper", "../digits-lamb.yaml")]
    [InlineData("federated.clientsPerRound: found 6, more than there are clients", "", "--set", "federated.partition.clients=5")]
    [InlineData("4,000 clients, but only 3,823 training samples: a client would be without data", "", "--set", "federated.partition={kind: iid, clients: 4000}")]
    [InlineData("a client was always left with too few samples", "", "--set", "federated.partition={kind: dirichlet, clients: 400, alpha: 0.01}")]
    [InlineData("data set 'nowhere' not found", "", "--set", "data.path=nowhere")]
    [InlineData("--png: /nowhere/holdings.png cannot be written", "", "--png", "/nowhere/holdings.png")]
    public async Task What_cannot_be_dealt_out_is_said_in_words(string part, string spec, params string[] arguments)
    {
        var path = spec.Length == 0 ? Sample : Path.GetFullPath(spec, Sample);
        var result = await Tool.RunHereAsync(["data", "partition", path, .. arguments]);
        Assert.Equal(2, result.ExitCode);
        Assert.Contains(part, result.Error, StringComparison.Ordinal);
        Assert.DoesNotContain("   at ", result.All, StringComparison.Ordinal);
    }

    private static async Task<JsonElement> ReadAsync(params string[] arguments)
    {
        var result = await Tool.RunHereAsync(["data", "partition", Sample, "--json", .. arguments]);
        Assert.True(result.ExitCode == 0, result.All);
        return JsonDocument.Parse(result.Output).RootElement;
    }

    public void Dispose() => _folder.Dispose();
}

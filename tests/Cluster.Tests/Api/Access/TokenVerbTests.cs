using System.Text.Json;
using Cluster.Cli.Up;
using Cluster.Cli.Verbs;
using Cluster.Client;
using Cluster.Tests.Data;
using Cluster.Tests.EndToEnd;

namespace Cluster.Tests.Api.Access;

[Collection(ConsoleTests.Name)]
public sealed class TokenVerbTests
{
    [Fact]
    public async Task A_token_that_the_tool_makes_lets_the_tool_in_until_it_is_revoked()
    {
        await using var single = await OwnApi.StartAsync();
        var api = single.Api;
        using var folder = new TemporaryFolder();
        var made = await Tool.RunHereAsync("token", "create", "--role", "submitter", "--name", "ci", "--days", "7", "--store", api.Store);
        Assert.Equal(ExitCodes.Succeeded, made.ExitCode);
        Assert.Matches("^cluster_[0-9a-f]{10}_[0-9a-f]{64}\n$", made.Output);
        Assert.DoesNotContain(made.Output.Trim(), made.Error, StringComparison.Ordinal);
        var file = folder.Write("token", made.Output);

        var deadline = Deadline.Token();
        while ((await ListAsync()).ExitCode == ExitCodes.Succeeded) { await Task.Delay(50, deadline); } // Until the door has noticed.
        Assert.Contains("CLUSTER_TOKEN", (await ListAsync()).Error, StringComparison.Ordinal);
        Assert.Equal(ExitCodes.Succeeded, (await ListAsync("--token-file", file)).ExitCode);
        var refused = await Tool.RunHereAsync("drain", "worker-0", "--cluster", api.Url.ToString(), "--token-file", file);
        Assert.Equal((ExitCodes.BadInput, "this needs the role Admin; ci has Submitter\n"), (refused.ExitCode, refused.Error));

        var listed = (await Tool.RunHereAsync("token", "list", "--store", api.Store, "--json")).Output;
        Assert.DoesNotContain(made.Output.Trim()[^64..], listed, StringComparison.Ordinal);
        var id = JsonDocument.Parse(listed).RootElement.GetProperty("tokens")[0].GetProperty("id").GetString()!;
        Assert.Contains("ci", (await Tool.RunHereAsync("token", "list", "--store", api.Store)).Output, StringComparison.Ordinal);
        Assert.Equal(ExitCodes.Succeeded, (await Tool.RunHereAsync("token", "revoke", id, "--store", api.Store)).ExitCode);
        Assert.Contains("has no token with the id", (await Tool.RunHereAsync("token", "revoke", id, "--store", api.Store)).Error, StringComparison.Ordinal);
        while ((await ListAsync("--token-file", file)).ExitCode == ExitCodes.Succeeded) { await Task.Delay(50, deadline); }
        Assert.Contains("was revoked", (await ListAsync("--token-file", file)).Error, StringComparison.Ordinal);

        Task<ToolResult> ListAsync(params string[] more) => Tool.RunHereAsync(["list", "--cluster", api.Url.ToString(), .. more]);
    }

    [Theory]
    [InlineData("--role: found 'king'", "--role", "king")]
    [InlineData("--days: found 0", "--role", "viewer", "--days", "0")]
    [InlineData("--name: allowed are", "--role", "viewer", "--name", "two\nlines")]
    public async Task A_value_that_is_not_allowed_is_refused_and_makes_no_token(string words, params string[] options)
    {
        using var folder = new TemporaryFolder();
        var result = await Tool.RunHereAsync(["token", "create", "--store", folder.Path, .. options]);
        Assert.Equal(ExitCodes.BadInput, result.ExitCode);
        Assert.StartsWith(words, result.Error, StringComparison.Ordinal);
        Assert.False(File.Exists(Path.Combine(folder.Path, "tokens.json")));
    }

    [Fact]
    public void The_starters_secret_goes_to_the_cluster_that_was_started_and_to_no_other()
    {
        using var store = new TemporaryFolder();
        new AddressFile(4711, "http://127.0.0.1:8099", "127.0.0.1:30001", "secret").Write(store.Path);
        Assert.Equal("secret", ClusterToken.Of(null, null, new Uri("http://127.0.0.1:8099"), store.Path));
        Assert.Null(ClusterToken.Of(null, null, new Uri("http://cluster.example:8099"), store.Path));
        Assert.Equal("mine", ClusterToken.Of(null, "mine", new Uri("http://127.0.0.1:8099"), store.Path));
        Assert.Equal("other", ClusterToken.Of(store.Write("token", "other\n"), "mine", new Uri("http://127.0.0.1:8099"), store.Path));
    }
}

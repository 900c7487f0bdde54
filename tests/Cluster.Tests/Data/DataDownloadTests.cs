using System.Formats.Tar;
using System.Security.Cryptography;
using Cluster.Contracts;
using Cluster.Contracts.Spec;
using Cluster.Trainer.Core.Data;

namespace Cluster.Tests.Data;

public sealed class DataDownloadTests : IAsyncLifetime, IDisposable
{
    private readonly TemporaryFolder _folder = new();
    private readonly LoopbackServer _server = new();
    private readonly HttpClient _http = new() { Timeout = TimeSpan.FromSeconds(20) };
    private readonly List<string> _lines = [];
    private static readonly byte[] s_body = [.. Enumerable.Range(0, 300_000).Select(i => (byte)(i * 31 >> 3))];

    public Task InitializeAsync() => Task.CompletedTask;

    public async Task DisposeAsync() => await _server.DisposeAsync();

    public void Dispose()
    {
        _http.Dispose();
        _folder.Dispose();
    }

    [Fact]
    public async Task A_file_arrives_and_is_not_fetched_twice()
    {
        var entry = Entry(_server.Add("/a.bin", s_body), s_body);
        var files = await GetAsync(entry);

        Assert.Equal([Path.Combine(_folder.Path, "set", "a.bin")], files);
        Assert.Equal(s_body, await File.ReadAllBytesAsync(files[0]));
        Assert.Contains("a.bin: 0.3 of 0.3 MB", _lines);
        Assert.Equal("a.bin: done, checksum right", _lines[^1]);

        await GetAsync(entry);
        Assert.Equal("a.bin: already there", _lines[^1]);
        Assert.Equal(1, _server.Requests);
    }

    [Fact]
    public async Task A_damaged_file_is_fetched_again()
    {
        var path = _folder.Write("set/a.bin", new byte[s_body.Length]);
        await GetAsync(Entry(_server.Add("/a.bin", s_body), s_body));
        Assert.Equal(s_body, await File.ReadAllBytesAsync(path));
    }

    [Fact]
    public async Task A_wrong_checksum_leaves_what_was_there()
    {
        var path = _folder.Write("set/a.bin", 1, 2, 3);
        byte[] other = [.. s_body[..^1], (byte)(s_body[^1] ^ 1)];
        var message = await RefusalAsync(Entry(_server.Add("/a.bin", other), s_body));

        Assert.Contains($"wrong checksum of a.bin: SHA-256 {Sha256(other)}, expected {Sha256(s_body)}", message, StringComparison.Ordinal);
        Assert.Equal([1, 2, 3], await File.ReadAllBytesAsync(path));
    }

    [Fact]
    public async Task More_bytes_than_expected_are_not_kept() =>
        Assert.Contains("more than the 1,000 bytes expected",
            await RefusalAsync(Entry(_server.Add("/a.bin", s_body), s_body[..1000])), StringComparison.Ordinal);

    [Fact]
    public async Task Fewer_bytes_than_expected_are_not_kept() =>
        Assert.Contains("ended after 1,000 of 300,000 bytes",
            await RefusalAsync(Entry(_server.Add("/a.bin", s_body[..1000]), s_body)), StringComparison.Ordinal);

    [Fact]
    public async Task A_connection_that_breaks_is_a_refusal() =>
        Assert.Contains("could not be fetched: ", await RefusalAsync(Entry(_server.AddCutOff("/a.bin", s_body, 100_000), s_body)), StringComparison.Ordinal);

    [Fact]
    public async Task A_missing_page_is_named() =>
        Assert.Contains("the server answered 404 Not Found", await RefusalAsync(Entry(_server.Url("/none"), s_body)), StringComparison.Ordinal);

    [Fact]
    public async Task Without_a_server_the_message_says_what_to_do_by_hand()
    {
        var url = new Uri("http://127.0.0.1:1/a.bin"); // Port 1 (tcpmux): nobody listens there.
        var message = await RefusalAsync(Entry(url, s_body));
        Assert.StartsWith("test: http://127.0.0.1:1/a.bin could not be fetched: Connection refused", message, StringComparison.Ordinal);
        Assert.EndsWith(
            $"""
            To get it by hand, fetch on a machine with a network and put here:
              {url}
                SHA-256 {Sha256(s_body)}
                as {Path.Combine(_folder.Path, "set", "a.bin")}
            Or, if you have it elsewhere, name the folder above 'set' with --data DIR or CLUSTER_DATA.
            """, message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Being_stopped_is_not_bad_input()
    {
        using var stop = new CancellationTokenSource();
        await stop.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() =>
            DataDownload.GetAsync(Entry(_server.Add("/a.bin", s_body), s_body), _folder.Path, _http, null, stop.Token));
        AssertNothingPartial();
    }

    [Fact]
    public async Task Members_of_an_archive_are_unpacked_by_their_last_name()
    {
        var archive = Archive(("deep/one.bin", s_body), ("readme.html", [1]), ("../../two.bin", [4, 5]));
        var entry = ArchiveEntry(archive, ("one.bin", s_body), ("two.bin", [4, 5]));
        var files = await GetAsync(entry);

        Assert.Equal(s_body, await File.ReadAllBytesAsync(files[0]));
        Assert.Equal([4, 5], await File.ReadAllBytesAsync(files[1]));
        Assert.Equal(["one.bin", "two.bin"], Directory.GetFiles(Path.Combine(_folder.Path, "set")).Select(Path.GetFileName).Order());

        await GetAsync(entry);
        Assert.Equal(1, _server.Requests);
    }

    [Fact]
    public async Task An_archive_without_a_member_or_with_another_one_is_refused()
    {
        Assert.Contains("the archive has no two.bin",
            await RefusalAsync(ArchiveEntry(Archive(("one.bin", s_body)), ("one.bin", s_body), ("two.bin", [4]))), StringComparison.Ordinal);
        Assert.Contains("wrong checksum of two.bin",
            await RefusalAsync(ArchiveEntry(Archive(("two.bin", [5])), ("two.bin", [4]))), StringComparison.Ordinal);
        Assert.Contains("more than the 1 bytes expected",
            await RefusalAsync(ArchiveEntry(Archive(("two.bin", s_body)), ("two.bin", [4]))), StringComparison.Ordinal);
    }

    [Fact]
    public async Task An_unknown_name_lists_the_known_ones() =>
        Assert.Equal("no data set 'imagenet'; there are mnist, fashion-mnist, cifar10, tinyshakespeare, wikitext2",
            (await Assert.ThrowsAsync<BadInputException>(() => DataDownload.GetAsync("imagenet", _folder.Path, _http, null, default))).Message);

    [Fact]
    public void The_catalog_puts_files_where_the_specs_look_for_them()
    {
        Assert.Equal("mnist", DataCatalog.Holding(new DataSpec.Mnist().Path)?.Name);
        Assert.Equal("fashion-mnist", DataCatalog.Holding(new DataSpec.FashionMnist().Path)?.Name);
        Assert.Equal("cifar10", DataCatalog.Holding(new DataSpec.Cifar10().Path)?.Name);
        Assert.Null(DataCatalog.Holding(new DataSpec.Digits().Path));
        Assert.All(DataCatalog.Entries.SelectMany(entry => entry.Downloads), download =>
        {
            Assert.Equal("https", download.Url.Scheme);
            Assert.All([download.File, .. download.Members], file => Assert.Matches("^[0-9a-f]{64}$", file.Sha256));
        });
    }

    /// <summary>Downloads from a folder of real files over loopback, then the data set opens: lengths, sums and names all fit.</summary>
    [SkippableTheory, InlineData("mnist"), InlineData("fashion-mnist"), InlineData("tinyshakespeare"), InlineData("wikitext2")]
    public async Task The_real_files_pass_the_catalogs_checks(string name)
    {
        var root = Environment.GetEnvironmentVariable(DataRoots.Variable);
        Skip.If(string.IsNullOrEmpty(root), $"{DataRoots.Variable} is not set");
        var entry = DataCatalog.Find(name);
        Skip.IfNot(entry.Downloads.All(d => File.Exists(Path.Combine(root, d.File.Path))), $"{DataRoots.Variable} has no {name}");

        var local = entry with { Downloads = [.. entry.Downloads.Select(d => d with { Url = _server.Add("/" + d.File.Path, File.ReadAllBytes(Path.Combine(root, d.File.Path))) })] };
        Assert.Equal(entry.Downloads.Length, (await GetAsync(local)).Count);
        AssertNothingPartial();
    }

    private static CatalogEntry Entry(Uri url, byte[] expected) =>
        new("test", "", "", [new(url, File_("a.bin", expected), [])]);

    private CatalogEntry ArchiveEntry(byte[] archive, params (string Name, byte[] Bytes)[] members) =>
        new("test", "", "", [new(_server.Add("/all.tar.gz", archive), File_("all.tar.gz", archive), [.. members.Select(m => File_(m.Name, m.Bytes))])]);

    private static CatalogFile File_(string name, byte[] bytes) => new($"set/{name}", bytes.Length, Sha256(bytes));

    private static string Sha256(byte[] bytes) => Convert.ToHexStringLower(SHA256.HashData(bytes));

    private static byte[] Archive(params (string Name, byte[] Bytes)[] files)
    {
        using var plain = new MemoryStream();
        using (var tar = new TarWriter(plain, leaveOpen: true))
        {
            foreach (var (name, bytes) in files)
            {
                tar.WriteEntry(new PaxTarEntry(TarEntryType.RegularFile, name) { DataStream = new MemoryStream(bytes) });
            }
        }

        return TemporaryFolder.Gzip(plain.ToArray());
    }

    private Task<IReadOnlyList<string>> GetAsync(CatalogEntry entry) =>
        DataDownload.GetAsync(entry, _folder.Path, _http, new Lines(_lines), CancellationToken.None);

    private async Task<string> RefusalAsync(CatalogEntry entry)
    {
        var message = (await Assert.ThrowsAsync<BadInputException>(() => GetAsync(entry))).Message;
        Assert.Contains(entry.Downloads[0].Url.ToString(), message, StringComparison.Ordinal);
        AssertNothingPartial();
        return message;
    }

    private void AssertNothingPartial() =>
        Assert.Empty(Directory.EnumerateFiles(_folder.Path, "*.partial", SearchOption.AllDirectories));

    /// <summary>Unlike <see cref="Progress{T}"/>, hears at once.</summary>
    private sealed class Lines(List<string> lines) : IProgress<string>
    {
        public void Report(string value) => lines.Add(value);
    }
}

using System.Buffers.Binary;
using System.Net;
using System.Net.Sockets;

namespace Cluster.Tests.EndToEnd;

/// <summary>
/// What is wrong is said at once, in words, with exit code 2, and before anything has started: no job, no file. These run in
/// this process; what needs workers is in <see cref="DamageTests"/>.
/// </summary>
[Collection(EndToEndTests.Name)]
public sealed class BadInputTests : IDisposable
{
    private const string Spec = """
        name: wrong
        method: lamb
        model: { kind: mlp }
        data: { kind: digits }
        batch: 64
        rounds: 2
        optimizer: { kind: lamb }
        schedule: { lr: 0.01 }
        """;

    private readonly string _folder = Directory.CreateTempSubdirectory("cluster-bad-").FullName;

    private string Store => Path.Combine(_folder, "store");

    [Theory]
    // Keys that are unknown, repeated or missing.
    [InlineData("batch: 64", "batchs: 64", "wrong.yaml:5: batchs: found an unknown key (did you mean \"batch\"?)")]
    [InlineData("rounds: 2", "rounds: 2\nrounds: 3", "rounds: found the key a second time")]
    [InlineData("method: lamb", "", "method: found no such key, allowed: one of lamb")]
    [InlineData("rounds: 2", "", "found neither epochs nor rounds")]
    [InlineData("{ lr: 0.01 }", "{ warmupRounds: 1 }", "found no learning rate")]
    [InlineData("{ kind: digits }", "{ kind: text }", "data.files: found no such key")]
    // Types.
    [InlineData("batch: 64", "batch: many", "wrong.yaml:5: batch: found \"many\", allowed: a whole number at least 1")]
    [InlineData("batch: 64", "batch: 1.5", "batch: found \"1.5\"")]
    [InlineData("{ kind: mlp }", "[ mlp ]", "model: found a list")]
    [InlineData("{ kind: mlp }", "{ kind: mlp, hidden: 8 }", "model.hidden: found \"8\", allowed: a list")]
    [InlineData("{ kind: lamb }", "{ kind: sgd, nesterov: 1 }", "optimizer.nesterov: found \"1\", allowed: true or false")]
    // Sizes and rates out of range.
    [InlineData("batch: 64", "batch: -64", "batch: found \"-64\"")]
    [InlineData("batch: 64", "batch: 99999999999999999999", "batch: found")]
    [InlineData("rounds: 2", "rounds: 0", "rounds: found \"0\"")]
    [InlineData("rounds: 2", "rounds: 2\nleaf: 65", "leaf: found 65, more than the batch of 64")]
    [InlineData("rounds: 2", "rounds: 2\nthreads: 0", "threads: found \"0\"")]
    [InlineData("{ kind: mlp }", "{ kind: mlp, hidden: [-1] }", "model.hidden[0]: found \"-1\"")]
    [InlineData("{ kind: mlp }", "{ kind: mlp, dropout: 1 }", "model.dropout: found \"1\"")]
    [InlineData("lr: 0.01", "lr: 1e30", "schedule.lr: found \"1e30\"")]
    [InlineData("lr: 0.01", "lr: .nan", "schedule.lr: found \".nan\"")]
    [InlineData("rounds: 2", "rounds: 2\nnonFinite: { maxSkips: 0 }", "nonFinite.maxSkips: found \"0\"")]
    [InlineData("rounds: 2", "rounds: 2\ncheckpoint: { keep: 0 }", "checkpoint.keep: found \"0\"")]
    // Values that do not go together.
    [InlineData("method: lamb", "method: diloco-3", "method: found \"diloco-3\"")]
    [InlineData("{ kind: digits }", "{ kind: text, files: [a] }", "data.kind: found \"text\" with model.kind mlp")]
    [InlineData("{ kind: lamb }", "{ kind: sgd, beta1: 0.9 }", "optimizer.beta1")]
    [InlineData("rounds: 2", "rounds: 2\nepochs: 1", "rounds beside epochs")]
    // Texts that are no spec.
    [InlineData("name: wrong", "name: ../wrong", "name: found \"../wrong\"")]
    [InlineData("{ kind: mlp }", "{ kind: mlp", "wrong.yaml:")]
    [InlineData("batch: 64", "batch: &a 64", "an anchor or alias")]
    [InlineData(Spec, "", "found an empty file")]
    [InlineData(Spec, "- 1", "found a list")]
    public async Task A_wrong_spec_is_refused_by_every_verb_that_reads_it(string find, string replace, string message)
    {
        var spec = Write(Spec.Replace(find, replace, StringComparison.Ordinal));
        await Refuses(message, "validate", spec);
        await Refuses(message, "run", spec, "--store", Store);
        Assert.False(Directory.Exists(Store));
    }

    [Fact]
    public async Task Everything_wrong_with_a_spec_is_said_at_once()
    {
        var spec = Write(Spec.Replace("batch: 64", "batch: 0", StringComparison.Ordinal).Replace("mlp", "nlp", StringComparison.Ordinal));
        await Refuses("model.kind: found \"nlp\" (did you mean \"mlp\"?)", "validate", spec);
        await Refuses("batch: found \"0\"", "validate", spec);
    }

    [Fact]
    public async Task A_spec_that_is_no_text_file_is_refused()
    {
        await Refuses("found no such file", "run", Path.Combine(_folder, "missing.yaml"), "--store", Store);
        await Refuses("cannot be read", "run", _folder, "--store", Store);

        var bytes = Path.Combine(_folder, "bytes.yaml");
        File.WriteAllBytes(bytes, [0xff, 0xfe, 0x00]);
        await Refuses("bytes that are not UTF-8", "run", bytes, "--store", Store);
        File.WriteAllText(bytes, new string('#', 1_048_577));
        await Refuses("more than 1 MiB", "run", bytes, "--store", Store);
    }

    [Theory]
    [InlineData("--workers: found 0, allowed: 1 to 1024", "--workers", "0")]
    [InlineData("--workers: found -1, allowed: 1 to 1024", "--workers", "-1")]
    [InlineData("'two'", "--workers", "two")]
    [InlineData("--port: found 70000, allowed: 1 to 65535", "--port", "70000")]
    [InlineData("'--threads'", "--threads=x")]
    [InlineData("'--wokers'", "--wokers", "2")]
    [InlineData("threads: found \"0\"", "--threads", "0")]
    [InlineData("--set batch=-1: batch: found \"-1\"", "--set", "batch=-1")]
    [InlineData("--set no-value", "--set", "no-value")]
    [InlineData("--data names", "--data", "/no/such/folder")]
    [InlineData("--json: /no/such/folder/report.json cannot be written", "--json", "/no/such/folder/report.json")]
    [InlineData("holds no job named wrong. Run without --resume to begin one", "--resume")]
    public async Task A_wrong_option_is_refused(string message, params string[] options)
    {
        await Refuses(message, ["run", Write(Spec), "--store", Store, .. options]);
        AssertNoJob();
    }

    [Theory]
    [InlineData("Required argument missing", "run")]
    [InlineData("'fly'", "fly")]
    [InlineData("no-such-set", "data", "get", "no-such-set")]
    [InlineData("does not exist", "inspect", "/no/such/checkpoint")]
    public Task A_wrong_command_is_refused(string message, params string[] arguments) => Refuses(message, arguments);

    [Fact]
    public async Task A_store_that_is_a_file_is_refused()
    {
        var file = Path.Combine(_folder, "file");
        File.WriteAllText(file, "kept");
        await Refuses("--store: ", "run", Write(Spec), "--store", file);
        Assert.Equal("kept", File.ReadAllText(file));
    }

    [Fact]
    public async Task A_port_in_use_is_refused_and_leaves_no_job()
    {
        using var other = new TcpListener(IPAddress.Loopback, 0);
        other.Start();
        var port = ((IPEndPoint)other.LocalEndpoint).Port;
        await Refuses($"port {port} on 127.0.0.1 is in use, and --port asks for it", "run", Write(Spec), "--store", Store, "--port", $"{port}");
        AssertNoJob();
    }

    [Theory]
    [InlineData("--Cluster:DataPort", "70000", "Cluster:DataPort: found 70000, allowed: 1 to 65535, or 0 to let the system choose")]
    [InlineData("--Cluster:Address", "here", "Cluster:Address: found 'here', allowed: an IP address of this machine")]
    [InlineData("--Cluster:Address", "192.0.2.1", "192.0.2.1 is not an address of this machine: set Cluster:Address to one that is.")]
    public Task A_trainer_refuses_an_address_or_port_that_cannot_be(string setting, string value, string message) =>
        Refuses(message, "trainer", setting, value);

    [Theory]
    [InlineData("Cluster:DataPort", " on 127.0.0.1 is in use, and Cluster:DataPort asks for it")]
    [InlineData("Cluster:HealthPort", " cannot be opened, and Cluster:HealthPort asks for it")]
    public async Task A_trainer_refuses_a_port_in_use(string setting, string message)
    {
        using var other = new TcpListener(IPAddress.Any, 0);
        other.Start();
        var port = ((IPEndPoint)other.LocalEndpoint).Port;
        await Refuses($"port {port}{message}", "trainer", $"--{setting}", $"{port}");
    }

    [Fact]
    public async Task A_run_that_is_refused_leaves_the_report_of_the_one_before()
    {
        var report = Path.Combine(_folder, "report.json");
        File.WriteAllText(report, "kept");
        await Refuses("holds no job", "run", Write(Spec), "--store", Store, "--resume", "--json", report);

        using var other = new TcpListener(IPAddress.Loopback, 0);
        other.Start();
        await Refuses("is in use", "run", Write(Spec), "--store", Store, "--port", $"{((IPEndPoint)other.LocalEndpoint).Port}", "--json", report);
        Assert.Equal("kept", File.ReadAllText(report));
    }

    [Theory]
    [InlineData("train-images-idx3-ubyte", "missing", "has no train-images-idx3-ubyte")]
    [InlineData("train-images-idx3-ubyte", "cut", "is cut off: 4 images take 3,152 bytes")]
    [InlineData("train-images-idx3-ubyte", "header", "is cut off: its header has 6 of 16 bytes")]
    [InlineData("train-images-idx3-ubyte", "magic", "begins with 0xff000803; 0x00000803 (IDX images) expected")]
    [InlineData("train-images-idx3-ubyte", "longer", "goes on after the 3,152 bytes that its header announces")]
    [InlineData("train-images-idx3-ubyte", "count", "announces 4,294,967,295 images; at most ")]
    [InlineData("train-images-idx3-ubyte", "side", "holds images of 27x28 pixels; 28x28 expected")]
    [InlineData("train-images-idx3-ubyte", "empty", "is empty")]
    [InlineData("train-images-idx3-ubyte", "folder", "is a folder")]
    [InlineData("train-images-idx3-ubyte", "gzip", "is not gzip, though its name ends in .gz")]
    [InlineData("train-labels-idx1-ubyte", "fewer", "holds 4 images, but")]
    [InlineData("t10k-labels-idx1-ubyte", "label", "has label 11 at index 3; labels are 0 to 9")]
    public async Task A_damaged_IDX_file_is_refused_by_name_before_anything_starts(string file, string damage, string message)
    {
        foreach (var part in (string[])["train", "t10k"])
        {
            WriteIdx($"{part}-images-idx3-ubyte", [0x803, 4, 28, 28], new byte[4 * 28 * 28]);
            WriteIdx($"{part}-labels-idx1-ubyte", [0x801, 4], [0, 1, 2, 9]);
        }

        var path = Path.Combine(_folder, file);
        var bytes = File.ReadAllBytes(path);
        File.Delete(path);
        switch (damage)
        {
            case "missing": break;
            case "cut": File.WriteAllBytes(path, bytes[..2000]); break;
            case "header": File.WriteAllBytes(path, bytes[..6]); break;
            case "magic": File.WriteAllBytes(path, [0xff, .. bytes[1..]]); break;
            case "longer": File.WriteAllBytes(path, [.. bytes, 0]); break;
            case "count": File.WriteAllBytes(path, [.. bytes[..4], 0xff, 0xff, 0xff, 0xff, .. bytes[8..]]); break;
            case "side": File.WriteAllBytes(path, [.. bytes[..11], 27, .. bytes[12..]]); break;
            case "empty": File.WriteAllBytes(path, []); break;
            case "folder": Directory.CreateDirectory(path); break;
            case "gzip": File.WriteAllBytes(path + ".gz", bytes); break;
            case "fewer": WriteIdx(file, [0x801, 3], [0, 1, 2]); break;
            case "label": File.WriteAllBytes(path, [.. bytes[..^1], 11]); break;
            default: throw new ArgumentOutOfRangeException(nameof(damage), damage, "no such damage");
        }

        var output = await Refuses(message, "run", WithData($"{{ kind: mnist, path: {_folder} }}"), "--store", Store);
        Assert.Contains(file, output, StringComparison.Ordinal);
        Assert.False(Directory.Exists(Store));
    }

    [Theory]
    [InlineData("optdigits.tra", "1,2,3", "line 1: 3 columns; 65 expected")]
    [InlineData("optdigits.tra", "", "is empty")]
    [InlineData("optdigits.tes", null, "has no optdigits.tes")]
    public async Task A_damaged_digits_file_is_refused(string file, string? content, string message)
    {
        var line = string.Join(',', Enumerable.Repeat("0", 65));
        foreach (var name in (string[])["optdigits.tra", "optdigits.tes"]) { File.WriteAllText(Path.Combine(_folder, name), line); }
        if (content is null) { File.Delete(Path.Combine(_folder, file)); }
        else { File.WriteAllText(Path.Combine(_folder, file), content); }
        await Refuses(message, "run", WithData($"{{ kind: digits, path: {_folder} }}"), "--store", Store);
        Assert.False(Directory.Exists(Store));
    }

    [Fact]
    public async Task A_CIFAR_file_that_is_cut_off_is_refused()
    {
        File.WriteAllBytes(Path.Combine(_folder, "train.bin"), new byte[5000]);
        File.WriteAllBytes(Path.Combine(_folder, "test.bin"), new byte[3073]);
        await Refuses("train.bin is cut off or no CIFAR-10 file", "run", WithData($"{{ kind: cifar10, path: {_folder} }}"), "--store", Store);
    }

    [Theory]
    [InlineData("short.txt", "less than one window")]
    [InlineData("missing.txt", "data file 'missing.txt' not found")]
    [InlineData("empty.txt", "is empty")]
    [InlineData(".", "a folder, not a file")]
    public async Task Text_that_cannot_be_used_is_refused(string file, string message)
    {
        File.WriteAllText(Path.Combine(_folder, "short.txt"), "to be");
        File.WriteAllText(Path.Combine(_folder, "empty.txt"), "");
        var text = Spec.Replace("{ kind: mlp }", "{ kind: gpt, context: 32 }", StringComparison.Ordinal);
        await Refuses(message, "run", Write(text.Replace("{ kind: digits }", $"{{ kind: text, files: [{file}] }}", StringComparison.Ordinal)), "--store", Store);
        Assert.False(Directory.Exists(Store));
    }

    private string Write(string spec)
    {
        var path = Path.Combine(_folder, "wrong.yaml");
        File.WriteAllText(path, spec);
        return path;
    }

    private string WithData(string data) => Write(Spec.Replace("{ kind: digits }", data, StringComparison.Ordinal));

    private void WriteIdx(string name, uint[] header, byte[] body)
    {
        var words = new byte[4 * header.Length];
        for (var i = 0; i < header.Length; i++) { BinaryPrimitives.WriteUInt32BigEndian(words.AsSpan(4 * i), header[i]); }
        File.WriteAllBytes(Path.Combine(_folder, name), [.. words, .. body]);
    }

    private void AssertNoJob() =>
        Assert.Empty(Directory.Exists(Path.Combine(Store, "jobs")) ? Directory.EnumerateFileSystemEntries(Path.Combine(Store, "jobs")) : []);

    private static async Task<string> Refuses(string message, params string[] arguments)
    {
        var result = await Tool.RunHereAsync(arguments);
        Assert.True(result.ExitCode == 2, $"exit code {result.ExitCode}:\n{result.All}");
        Assert.Contains(message, result.Error, StringComparison.Ordinal);
        Assert.DoesNotContain("   at ", result.All, StringComparison.Ordinal);
        return result.Error;
    }

    public void Dispose() => Directory.Delete(_folder, recursive: true);
}

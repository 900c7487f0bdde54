using System.Globalization;
using Cluster.Contracts;
using Cluster.Tests.Api;
using Cluster.Tests.Checkpoints;
using Cluster.Tests.EndToEnd;
using Cluster.Trainer.Core.Checkpoints;

namespace Cluster.Tests.Continual;

/// <summary>A release that a job trained, exported as a user does, and read by a program that knows nothing of this one.</summary>
[Collection(EndToEndTests.Name)]
public sealed class ReleaseExportTests
{
    /// <summary>The format by its description alone: every tensor, the hash of all parameters, and one value.</summary>
    private const string Script = """
        import hashlib, json, struct, sys
        data = open(sys.argv[1], 'rb').read()
        n, = struct.unpack('<Q', data[:8])
        header = json.loads(data[8:8 + n])
        header.pop('__metadata__', None)
        tensors = sorted(header.items(), key=lambda t: t[1]['data_offsets'][0])
        values = data[8 + n:]
        for name, t in tensors:
            print(name, t['dtype'], t['shape'])
        assert tensors[-1][1]['data_offsets'][1] == len(values)
        print(hashlib.sha256(values).hexdigest())
        begin = header['token.weight']['data_offsets'][0]
        print('%.9g' % struct.unpack_from('<f', values, begin + 4 * (65 * 16 + 3)))
        """;

    [SkippableFact]
    public async Task Another_program_reads_a_release()
    {
        await using var own = await OwnApi.StartAsync();
        var (api, store) = (own.Api, own.Api.Store);
        var spec = Path.Combine(store, "spec.yaml");
        File.WriteAllText(spec, ContinualSamples.Yaml);
        var run = Tool.RunJob(spec, store);
        Assert.True(run.Result.ExitCode == 0, run.Result.All);
        api.Cluster.Add("three-texts-1");

        var file = Path.Combine(store, "plays.safetensors");
        var exported = await Tool.RunHereAsync("export", "three-texts-1", file, "--round", "10", "--cluster", api.Url.ToString());
        Assert.True(exported.ExitCode == 0, exported.All);

        var checkpoint = Path.Combine(store, "jobs", "three-texts-1", "checkpoints", "round-000000010");
        var manifest = Checkpoint.ReadManifest(checkpoint);
        Assert.Equal("plays", manifest.Lineage!.Release);
        using var ours = SafeTensorsFile.Open(Path.Combine(checkpoint, JobLayout.Model));
        var value = new float[1];
        ours.Read(ours.Header.Tensors.Single(tensor => tensor.Name == "token.weight"), (65 * 16) + 3, value);
        Assert.NotEqual(0, value[0]);
        Assert.Equal(
            $"""
            token.weight F32 [256, 16]
            position.weight F32 [16, 16]
            blocks.0.norm1.weight F32 [16]
            blocks.0.norm1.bias F32 [16]
            blocks.0.attention.qkv.weight F32 [48, 16]
            blocks.0.attention.qkv.bias F32 [48]
            blocks.0.attention.project.weight F32 [16, 16]
            blocks.0.attention.project.bias F32 [16]
            blocks.0.norm2.weight F32 [16]
            blocks.0.norm2.bias F32 [16]
            blocks.0.mlp.expand.weight F32 [64, 16]
            blocks.0.mlp.expand.bias F32 [64]
            blocks.0.mlp.project.weight F32 [16, 64]
            blocks.0.mlp.project.bias F32 [16]
            norm.weight F32 [16]
            norm.bias F32 [16]
            {manifest.WeightsSha256}

            """,
            Lines(Python.Run(Script, file), out var theirs));
        Assert.Equal(value[0], theirs);
    }

    /// <summary>All but the last line; that one is a number, with digits enough for a float32.</summary>
    private static string Lines(string output, out float last)
    {
        var lines = output.TrimEnd().Split('\n');
        last = float.Parse(lines[^1], CultureInfo.InvariantCulture);
        return string.Concat(lines[..^1].Select(line => line + '\n'));
    }
}

using System.Runtime.Versioning;
using System.Text;
using Cluster.Contracts;
using Cluster.Trainer.Core.Checkpoints;

namespace Cluster.Tests.Checkpoints;

/// <summary>Rounds 10 and 20 are saved, round 20 is damaged: it is refused with the reason, and round 10 is used.</summary>
public sealed class DamageTests : IDisposable
{
    private readonly CheckpointFixture _fixture = new();
    private readonly string _older;
    private readonly string _newer;

    public DamageTests()
    {
        _older = _fixture.Save(round: 10);
        _newer = _fixture.Save(round: 20);
    }

    private string InNewer(string name) => Path.Combine(_newer, name);

    private void AssertRefused(RefusalKind kind, string reason)
    {
        var state = CheckpointFixture.EmptyState();
        var search = _fixture.Find(state);

        var refusal = Assert.Single(search.Refusals);
        Assert.Equal((_newer, kind), (refusal.Path, refusal.Kind));
        Assert.Contains(reason, refusal.Notice);
        Assert.StartsWith("round-000000020 was refused: ", refusal.Notice);

        Assert.Equal(_older, search.Found!.Path);
        search.Found.Load(state);
        Assert.Equal(CheckpointFixture.Bits(CheckpointFixture.State(10)), CheckpointFixture.Bits(state));
    }

    [Theory]
    [InlineData(JobLayout.Model)]
    [InlineData(JobLayout.Optimizer)]
    [InlineData(JobLayout.Spec)]
    public void Every_flipped_byte_is_found(string name)
    {
        var original = File.ReadAllBytes(InNewer(name));
        for (var i = 0; i < original.Length; i++)
        {
            var bytes = original.ToArray();
            bytes[i] ^= 0x10;
            File.WriteAllBytes(InNewer(name), bytes);
            Assert.Equal($"{name} was changed after it was written (its SHA-256 does not match the manifest)",
                Assert.Throws<InvalidDataException>(() => Checkpoint.Open(_newer)).Message);
        }

        AssertRefused(RefusalKind.Damaged, $"{name} was changed");
    }

    [Fact]
    public void Every_flipped_byte_of_the_manifest_is_found()
    {
        var original = File.ReadAllBytes(InNewer(JobLayout.Manifest));
        for (var i = 0; i < original.Length; i++)
        {
            var bytes = original.ToArray();
            bytes[i] ^= 0x01;
            File.WriteAllBytes(InNewer(JobLayout.Manifest), bytes);
            Assert.Throws<InvalidDataException>(() => Checkpoint.ReadManifest(_newer));
        }
    }

    [Theory]
    [InlineData(JobLayout.Model, "model.safetensors has 0 bytes; it was written with")]
    [InlineData(JobLayout.Optimizer, "optimizer.safetensors has 0 bytes; it was written with")]
    [InlineData(JobLayout.Spec, "spec.yaml has 0 bytes; it was written with")]
    [InlineData(JobLayout.Manifest, "manifest.json has 0 bytes")]
    public void Empty_file(string name, string reason)
    {
        File.WriteAllBytes(InNewer(name), []);
        AssertRefused(RefusalKind.Damaged, reason);
    }

    [Theory]
    [InlineData(JobLayout.Model)]
    [InlineData(JobLayout.Optimizer)]
    [InlineData(JobLayout.Spec)]
    [InlineData(JobLayout.Manifest)]
    public void Missing_file(string name)
    {
        File.Delete(InNewer(name));
        AssertRefused(RefusalKind.Damaged, $"{name} is missing");
    }

    [Fact]
    public void Truncated_model()
    {
        using (var file = File.OpenWrite(InNewer(JobLayout.Model))) { file.SetLength(file.Length - 1); }
        AssertRefused(RefusalKind.Damaged, "model.safetensors has");
    }

    [Fact]
    public void Bytes_after_the_model()
    {
        File.AppendAllText(InNewer(JobLayout.Model), "x");
        AssertRefused(RefusalKind.Damaged, "model.safetensors has");
    }

    [Fact]
    public void Truncated_manifest()
    {
        using (var file = File.OpenWrite(InNewer(JobLayout.Manifest))) { file.SetLength(file.Length / 2); }
        AssertRefused(RefusalKind.Damaged, "manifest.json is not valid JSON");
    }

    [Theory]
    [InlineData("not json at all", "manifest.json is not valid JSON")]
    [InlineData("[]", "manifest.json has no formatVersion")]
    [InlineData("{\"round\": 20}", "manifest.json has no formatVersion")]
    [InlineData("{\"formatVersion\": \"1\"}", "manifest.json has no formatVersion")]
    [InlineData("{\"formatVersion\": 2}", "manifest.json has format version 2; this version of Cluster reads version 1")]
    [InlineData("{\"formatVersion\": 1}", "manifest.json was changed after it was written")]
    public void Wrong_manifest(string json, string reason)
    {
        File.WriteAllText(InNewer(JobLayout.Manifest), json);
        AssertRefused(RefusalKind.Damaged, reason);
    }

    [Fact]
    public void Manifest_that_is_not_text()
    {
        File.WriteAllBytes(InNewer(JobLayout.Manifest), [.. "{\"formatVersion\": 1, \""u8, 0xFF, 0xFE, .. "\": 1}"u8]);
        AssertRefused(RefusalKind.Damaged, "manifest.json");
    }

    [Fact]
    public void Manifest_as_large_as_a_model()
    {
        using (var file = File.OpenWrite(InNewer(JobLayout.Manifest))) { file.SetLength(CheckpointManifest.MaxBytes + 1); }
        AssertRefused(RefusalKind.Damaged, "manifest.json has 4,194,305 bytes");
    }

    [Fact]
    public void Edited_counter()
    {
        var text = File.ReadAllText(InNewer(JobLayout.Manifest));
        var edited = text.Replace("\"updates\": 20", "\"updates\": 21", StringComparison.Ordinal);
        Assert.NotEqual(text, edited);
        File.WriteAllText(InNewer(JobLayout.Manifest), edited);
        AssertRefused(RefusalKind.Damaged, "manifest.json was changed after it was written");
    }

    [Theory]
    [InlineData("../round-000000010/model.safetensors")]
    [InlineData("/etc/passwd")]
    [InlineData("..\\x")]
    [InlineData("extra.bin")]
    public void Manifest_that_names_anything_but_its_neighbours(string name)
    {
        CheckpointFixture.Reseal(_newer, m => m with { Files = [m.Files[0] with { Name = name }, .. m.Files[1..]] });
        AssertRefused(RefusalKind.Damaged, $"manifest.json names '{name}'; only model.safetensors, optimizer.safetensors, spec.yaml are allowed");
    }

    [Fact]
    public void Manifest_that_leaves_a_file_out()
    {
        CheckpointFixture.Reseal(_newer, m => m with { Files = m.Files[..2] });
        AssertRefused(RefusalKind.Damaged, "must name each of");
    }

    [Fact]
    public void Manifest_that_names_a_file_twice()
    {
        CheckpointFixture.Reseal(_newer, m => m with { Files = [.. m.Files, m.Files[0]] });
        AssertRefused(RefusalKind.Damaged, "must name each of");
    }

    [Fact]
    public void Folder_renamed_to_another_round()
    {
        CheckpointFixture.Reseal(_newer, m => m with { Round = 19 });
        AssertRefused(RefusalKind.Damaged, "manifest.json is of round 19");
    }

    [Fact]
    public void Another_job()
    {
        CheckpointFixture.Reseal(_newer, m => m with { Job = "mnist" });
        AssertRefused(RefusalKind.OtherJob, "it belongs to job 'mnist', not to 'digits'");
    }

    [Fact]
    public void Another_spec()
    {
        CheckpointFixture.Reseal(_newer, m => m with { SpecHash = "abc" });
        AssertRefused(RefusalKind.OtherSpec, "it was made from another spec (hash abc, now hash-of-the-spec); compare its spec.yaml");
    }

    [Fact]
    public void Tensor_missing()
    {
        CheckpointFixture.Replace(_newer, JobLayout.Model, CheckpointFixture.SafeTensors(("conv.weight", [3, 1, 3, 1])));
        AssertRefused(RefusalKind.OtherModel, "model.safetensors: tensor 'conv.bias' is missing");
    }

    [Fact]
    public void Tensor_too_many()
    {
        (string, System.Collections.Immutable.ImmutableArray<long>)[] tensors =
            [.. CheckpointFixture.Layout.Segments.Select(s => (s.Name, s.Shape)), ("surplus", [1])];
        CheckpointFixture.Replace(_newer, JobLayout.Model, CheckpointFixture.SafeTensors(tensors));
        AssertRefused(RefusalKind.OtherModel, "model.safetensors: tensor 'surplus' is not one of this model's");
    }

    [Fact]
    public void Tensor_of_another_shape()
    {
        (string, System.Collections.Immutable.ImmutableArray<long>)[] tensors =
            [.. CheckpointFixture.Layout.Segments.Select(s => (s.Name, s.Name == "fc.weight" ? [7, 5] : s.Shape))];
        CheckpointFixture.Replace(_newer, JobLayout.Model, CheckpointFixture.SafeTensors(tensors));
        AssertRefused(RefusalKind.OtherModel, "model.safetensors: tensor 'fc.weight' has shape [7, 5], this model's is [5, 7]");
    }

    [Fact]
    public void Moments_of_another_optimiser()
    {
        CheckpointFixture.Replace(_newer, JobLayout.Optimizer, CheckpointFixture.SafeTensors(("momentum.conv.weight", [3, 1, 3, 1])));
        AssertRefused(RefusalKind.OtherModel, "optimizer.safetensors: tensor 'm.conv.weight' is missing");
    }

    [Fact]
    public void Other_counters()
    {
        CheckpointFixture.Reseal(_newer, m => m with { Counters = m.Counters.Remove("updates").Add("clients", 3) });
        AssertRefused(RefusalKind.OtherModel, "it has the counters clients, skippedInARow, this method's are skippedInARow, updates");
    }

    [Fact]
    public void Model_that_is_no_safetensors_file()
    {
        CheckpointFixture.Replace(_newer, JobLayout.Model, Encoding.ASCII.GetBytes("PK a zip file of a pickle"));
        AssertRefused(RefusalKind.Damaged, "model.safetensors: the prefix asks for a header of");
    }

    [Fact]
    public void Weights_that_are_not_those_of_the_manifest_are_not_taken()
    {
        CheckpointFixture.Reseal(_newer, m => m with { WeightsSha256 = new string('0', 64) });
        var error = Assert.Throws<BadInputException>(() => CheckpointStore.Load(_newer, CheckpointFixture.EmptyState()));
        Assert.Contains("weightsSha256", error.Message);
    }

    [Fact]
    public void Linked_file()
    {
        File.Delete(InNewer(JobLayout.Spec));
        File.CreateSymbolicLink(InNewer(JobLayout.Spec), Path.Combine(_older, JobLayout.Spec));
        AssertRefused(RefusalKind.Damaged, "spec.yaml is a link");
    }

    [Fact]
    public void Linked_checkpoint()
    {
        var elsewhere = Path.Combine(_fixture.JobDirectory, "elsewhere");
        Directory.Move(_newer, elsewhere);
        Directory.CreateSymbolicLink(_newer, elsewhere);
        AssertRefused(RefusalKind.Damaged, "it is a link");
    }

    [Fact]
    public void Folder_in_place_of_a_file()
    {
        File.Delete(InNewer(JobLayout.Spec));
        Directory.CreateDirectory(InNewer(JobLayout.Spec));
        AssertRefused(RefusalKind.Damaged, "spec.yaml is a folder");
    }

    [SkippableFact, UnsupportedOSPlatform("windows")]
    public void Unreadable_checkpoint()
    {
        Skip.If(OperatingSystem.IsWindows() || Environment.IsPrivilegedProcess, "root reads everything");
        File.SetUnixFileMode(_newer, UnixFileMode.None);
        try { AssertRefused(RefusalKind.Damaged, "denied"); }
        finally { File.SetUnixFileMode(_newer, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute); }
    }

    [Fact]
    public void Empty_folder()
    {
        Directory.Delete(_newer, recursive: true);
        Directory.CreateDirectory(_newer);
        AssertRefused(RefusalKind.Damaged, "manifest.json is missing");
    }

    [Fact]
    public void Half_written_folders_files_and_foreign_names_are_not_looked_at()
    {
        Directory.Move(_newer, Path.Combine(_fixture.Folder, ".round-000000020.partial-host-1"));
        Directory.CreateDirectory(Path.Combine(_fixture.Folder, "round-30"));
        Directory.CreateDirectory(Path.Combine(_fixture.Folder, "round-0000000030"));
        File.WriteAllText(Path.Combine(_fixture.Folder, "round-000000040"), "a file");
        var search = _fixture.Find();
        Assert.Equal(_older, search.Found!.Path);
        Assert.Empty(search.Refusals);
    }

    [Fact]
    public void All_damaged_means_none_is_found_and_each_is_named()
    {
        File.Delete(Path.Combine(_older, JobLayout.Model));
        File.Delete(InNewer(JobLayout.Model));
        var search = _fixture.Find();
        Assert.Null(search.Found);
        Assert.Equal(["round-000000020", "round-000000010"], search.Refusals.Select(r => Path.GetFileName(r.Path)));
    }

    [Fact]
    public void A_job_without_checkpoints_has_none()
    {
        var search = CheckpointStore.FindNewestIntact(Path.Combine(_fixture.JobDirectory, "new"), "digits", "x", state: null);
        Assert.Null(search.Found);
        Assert.Empty(search.Refusals);
    }

    [Fact]
    public void Loading_a_damaged_one_by_name_says_which_and_why()
    {
        File.Delete(InNewer(JobLayout.Optimizer));
        var error = Assert.Throws<BadInputException>(() => CheckpointStore.Load(_newer, CheckpointFixture.EmptyState()));
        Assert.Equal($"the checkpoint {_newer} cannot be loaded: optimizer.safetensors is missing", error.Message);
    }

    [Fact]
    public void A_state_that_does_not_fit_is_left_as_it_was()
    {
        var state = CheckpointFixture.State(77, moments: false);
        Assert.Throws<BadInputException>(() => CheckpointStore.Load(_newer, state));
        Assert.Equal(CheckpointFixture.Bits(CheckpointFixture.State(77, moments: false)), CheckpointFixture.Bits(state));
        Assert.Equal(77, state.Counters["updates"]);
    }

    public void Dispose() => _fixture.Dispose();
}

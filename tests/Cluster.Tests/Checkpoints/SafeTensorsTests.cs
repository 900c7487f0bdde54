using System.Buffers.Binary;
using System.Collections.Immutable;
using System.Runtime.InteropServices;
using System.Text;
using Cluster.Contracts;
using Cluster.Trainer.Core.Checkpoints;
using Cluster.Trainer.Core.State;

namespace Cluster.Tests.Checkpoints;

public sealed class SafeTensorsTests : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("cluster-safetensors-").FullName;

    /// <summary>Written by hand from the format's description: a [2, 2] tensor and a scalar; 149 bytes of JSON and three spaces.</summary>
    private static byte[] ReferenceFile() =>
        [
            152, 0, 0, 0, 0, 0, 0, 0,
            .. """{"__metadata__":{"made":"hand"},"a.weight":{"dtype":"F32","shape":[2,2],"data_offsets":[0,16]},"b":{"dtype":"F32","shape":[],"data_offsets":[16,20]}}   """u8,
            0x00, 0x00, 0x80, 0x3F, 0x00, 0x00, 0x00, 0xC0, 0x00, 0x00, 0x40, 0x40, 0x00, 0x00, 0x00, 0x3F, // 1, -2, 3, 0.5
            0xDB, 0x0F, 0x49, 0x40, // 3.1415927
        ];

    private string Write(byte[] bytes)
    {
        var path = Path.Combine(_folder, "file.safetensors");
        File.WriteAllBytes(path, bytes);
        return path;
    }

    [Fact]
    public void A_file_written_by_hand_is_read()
    {
        using var file = SafeTensorsFile.Open(Write(ReferenceFile()));

        Assert.Equal("hand", file.Header.Metadata["made"]);
        Assert.Equal(["a.weight [2,2]", "b []"], file.Header.Tensors.Select(t => $"{t.Name} [{string.Join(",", t.Shape)}]"));
        var a = new float[4];
        file.Read(file.Header.Tensors[0], 0, a);
        Assert.Equal([1f, -2f, 3f, 0.5f], a);
        var b = new float[1];
        file.Read(file.Header.Tensors[1], 0, b);
        Assert.Equal([MathF.PI], b);
    }

    [Fact]
    public void What_is_written_is_that_file_byte_for_byte()
    {
        var layout = new Layout([("a.weight", [2, 2], SegmentRole.Parameter), ("b", [], SegmentRole.Parameter)]);
        using var theta = new FlatBuffer(layout.Length);
        new[] { 1f, -2f, 3f, 0.5f }.CopyTo(theta.Slice(layout.Segments[0].Offset, 4));
        theta.Slice(layout.Segments[1].Offset, 1)[0] = MathF.PI;
        var written = new List<byte>();

        StateTensors.Write(
            StateTensors.Model(new MethodState(layout, [("theta", theta)], new Dictionary<string, long>())),
            new Dictionary<string, string> { ["made"] = "hand" }, piece => written.AddRange(piece));

        Assert.Equal(ReferenceFile(), written);
    }

    [Fact]
    public void Reading_past_a_tensor_is_refused()
    {
        using var file = SafeTensorsFile.Open(Write(ReferenceFile()));
        Assert.Throws<ArgumentOutOfRangeException>(() => file.Read(file.Header.Tensors[0], 1, new float[4]));
    }

    [Theory]
    [InlineData("""[1]""", 0, "does not begin with '{'")]
    [InlineData("""{"a":""", 0, "not valid JSON")]
    [InlineData(""" {}""", 0, "does not begin with '{'")]
    [InlineData("""{} {}""", 0, "not valid JSON")]
    [InlineData("""{"a":1}""", 0, "'a' is not described by exactly dtype, shape and data_offsets")]
    [InlineData("""{"a":{"dtype":"F32","shape":[1]}}""", 4, "'a' is not described by exactly")]
    [InlineData("""{"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4],"more":1}}""", 4, "'a' is not described by exactly")]
    [InlineData("""{"a":{"dtype":"F32","shape":[1],"shape":[1]}}""", 4, "'a' is not described by exactly")]
    [InlineData("""{"a":{"dtype":"BF16","shape":[2],"data_offsets":[0,4]}}""", 4, "'a' has dtype BF16; only F32 is read")]
    [InlineData("""{"a":{"dtype":"F32","shape":3,"data_offsets":[0,4]}}""", 4, "'a' has a shape that is not a list")]
    [InlineData("""{"a":{"dtype":"F32","shape":[-1],"data_offsets":[0,4]}}""", 4, "'a' has a shape with something other than whole numbers from 0")]
    [InlineData("""{"a":{"dtype":"F32","shape":[1.5],"data_offsets":[0,4]}}""", 4, "'a' has a shape with something other than whole numbers from 0")]
    [InlineData("""{"a":{"dtype":"F32","shape":[1],"data_offsets":[4]}}""", 4, "'a' has data_offsets that are not [begin, end]")]
    [InlineData("""{"a":{"dtype":"F32","shape":[1],"data_offsets":[8,4]}}""", 4, "'a' has data_offsets that are not [begin, end]")]
    [InlineData("""{"a":{"dtype":"F32","shape":[1],"data_offsets":[0,18446744073709551620]}}""", 4, "'a' has a data_offsets with something other")]
    [InlineData("""{"a":{"dtype":"F32","shape":[4294967296,4294967296],"data_offsets":[0,4]}}""", 4, "too large for any file")]
    [InlineData("""{"a":{"dtype":"F32","shape":[4611686018427387904],"data_offsets":[0,0]}}""", 0, "too large for any file")]
    [InlineData("""{"a":{"dtype":"F32","shape":[2],"data_offsets":[0,4]}}""", 4, "'a' of shape [2] needs 8 bytes but has 4")]
    [InlineData("""{"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4]},"a":{"dtype":"F32","shape":[1],"data_offsets":[4,8]}}""", 8, "'a' appears twice")]
    [InlineData("""{"a":{"dtype":"F32","shape":[2],"data_offsets":[0,8]},"b":{"dtype":"F32","shape":[1],"data_offsets":[4,8]}}""", 8, "'b' overlaps")]
    [InlineData("""{"a":{"dtype":"F32","shape":[1],"data_offsets":[4,8]}}""", 8, "bytes 0 to 4, before 'a', belong to no tensor")]
    [InlineData("""{"a":{"dtype":"F32","shape":[3],"data_offsets":[0,12]}}""", 8, "the file ends 4 bytes early")]
    [InlineData("""{"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}}""", 8, "4 bytes after its last tensor")]
    [InlineData("""{"a\u001b[2J":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}}""", 4, "control characters")]
    [InlineData("""{"__metadata__":[]}""", 0, "__metadata__ is not an object")]
    [InlineData("""{"__metadata__":{"a":1}}""", 0, "__metadata__ holds something other than text")]
    [InlineData("""{"__metadata__":{"a":"1","a":"2"}}""", 0, "'a' appears twice in __metadata__")]
    [InlineData("""{"\ud800":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}}""", 4, "not valid JSON")]
    public void A_header_that_breaks_the_format_is_refused_by_name(string json, int dataBytes, string reason)
    {
        byte[] file = [(byte)json.Length, 0, 0, 0, 0, 0, 0, 0, .. Encoding.UTF8.GetBytes(json), .. new byte[dataBytes]];
        var message = Assert.Throws<InvalidDataException>(() => SafeTensorsFile.Open(Write(file))).Message;
        Assert.StartsWith("file.safetensors: ", message);
        Assert.Contains(reason, message);
    }

    [Fact]
    public void A_prefix_that_asks_for_too_much_is_refused_without_reading_it()
    {
        var file = ReferenceFile();
        BinaryPrimitives.WriteUInt64LittleEndian(file, 100_000_001);
        Assert.Contains("at most 100,000,000 are allowed", Assert.Throws<InvalidDataException>(() => SafeTensorsFile.Open(Write(file))).Message);
        BinaryPrimitives.WriteUInt64LittleEndian(file, ulong.MaxValue);
        Assert.Contains("at most 100,000,000 are allowed", Assert.Throws<InvalidDataException>(() => SafeTensorsFile.Open(Write(file))).Message);
        BinaryPrimitives.WriteUInt64LittleEndian(file, 99_999_999);
        Assert.Contains("the file ends inside its header", Assert.Throws<InvalidDataException>(() => SafeTensorsFile.Open(Write(file))).Message);
    }

    [Fact]
    public void Every_truncation_is_refused()
    {
        var file = ReferenceFile();
        for (var length = 0; length < file.Length; length++)
        {
            Assert.Throws<InvalidDataException>(() => SafeTensorsFile.Open(Write(file[..length])));
        }
    }

    [Fact]
    public void No_flipped_bit_of_the_header_does_worse_than_a_refusal()
    {
        var original = ReferenceFile();
        for (var bit = 0; bit < (original.Length - 20) * 8; bit++)
        {
            var file = original.ToArray();
            file[bit / 8] ^= (byte)(1 << bit % 8);
            try
            {
                SafeTensorsFile.Open(Write(file)).Dispose(); // Another name or another text of the metadata is a valid file.
            }
            catch (InvalidDataException)
            {
            }
        }
    }

    [Fact]
    public void Values_beyond_four_gibibytes_are_reached()
    {
        const long length = 1_200_000_000; // Sparse: it takes no room on disk.
        var header = SafeTensorsHeader.For([("small", [1]), ("big", [2, length / 2])], ImmutableDictionary<string, string>.Empty);
        var path = Write(header.Encode());
        using (var stream = File.OpenWrite(path))
        {
            stream.SetLength(stream.Length + header.DataBytes);
            stream.Position = stream.Length - sizeof(float);
            stream.Write(MemoryMarshal.AsBytes([42f]));
        }

        using var file = SafeTensorsFile.Open(path);
        var last = new float[2];
        file.Read(file.Header.Tensors[1], length - 2, last);
        Assert.Equal([0f, 42f], last);
    }

    [Fact]
    public void Two_tensors_of_one_name_are_never_written()
    {
        Assert.Throws<ArgumentException>(() => SafeTensorsHeader.For([("a", [1]), ("a", [1])], ImmutableDictionary<string, string>.Empty));
        Assert.Throws<ArgumentException>(() => SafeTensorsHeader.For([("__metadata__", [1])], ImmutableDictionary<string, string>.Empty));
    }

    [SkippableFact]
    public void Python_reads_what_is_written()
    {
        const string script = """
            import json, struct, sys
            data = open(sys.argv[1], 'rb').read()
            n, = struct.unpack('<Q', data[:8])
            header = json.loads(data[8:8 + n])
            assert (8 + n) % 8 == 0 and header.pop('__metadata__')['format'] == 'pt'
            for name, t in header.items():
                begin, end = t['data_offsets']
                values = struct.unpack('<%df' % ((end - begin) // 4), data[8 + n + begin:8 + n + end])
                print(name, t['dtype'], t['shape'], sum(values))
            """;
        using var fixture = new CheckpointFixture();
        var state = CheckpointFixture.EmptyState(moments: false);
        foreach (var segment in state.Layout.Segments) { state.Buffers[0].Buffer.Slice(segment.Offset, segment.Length).Fill(0.5f); }
        using var writer = fixture.Open();
        var path = writer.Save(state, round: 1, samplesSeen: 1).Path;

        Assert.Equal(
            """
            conv.weight F32 [3, 1, 3, 1] 4.5
            conv.bias F32 [3] 1.5
            scale F32 [] 0.5
            nothing F32 [0, 4] 0
            fc.weight F32 [5, 7] 17.5
            bn.running_mean F32 [3] 1.5
            bn.batches F32 [1] 0.5

            """,
            Python.Run(script, Path.Combine(path, JobLayout.Model)));
    }

    [SkippableFact]
    public void What_Python_writes_is_read()
    {
        const string script = """
            import json, struct, sys
            header = json.dumps({'z': {'dtype': 'F32', 'shape': [2], 'data_offsets': [4, 12]},
                                 'ä': {'data_offsets': [0, 4], 'shape': [1, 1], 'dtype': 'F32'}}).encode()
            open(sys.argv[1], 'wb').write(struct.pack('<Q', len(header)) + header + struct.pack('<3f', 1, 2, 3))
            """;
        var path = Path.Combine(_folder, "python.safetensors");
        Python.Run(script, path);
        using var file = SafeTensorsFile.Open(path);
        Assert.Equal(["ä", "z"], file.Header.Tensors.Select(t => t.Name));
        var z = new float[2];
        file.Read(file.Header.Tensors[1], 0, z);
        Assert.Equal([2f, 3f], z);
    }

    public void Dispose() => Directory.Delete(_folder, recursive: true);
}

using System.Buffers;
using System.Collections.Concurrent;
using System.IO.MemoryMappedFiles;
using System.Numerics;
using Cluster.Contracts;

namespace Cluster.Trainer.Core.Data.Tokens;

/// <summary>The shards of a folder as one run of tokens, mapped into memory: what is not read takes none.</summary>
/// <remarks>
/// A shard's length is compared whenever it is opened. Its hash is taken once in a process, and again when its length or time of
/// writing is another one; that reads the shard once. The mapping lives as long as something reads from it.
/// </remarks>
internal sealed class TokenShards : ITokenRun
{
    /// <summary>Shards whose bytes this process has seen to be the manifest's.</summary>
    private static readonly ConcurrentDictionary<(string Path, long Bytes, DateTime WrittenUtc, string Sha256), bool> s_seen = [];

    private readonly string _folder;
    private readonly TokenManifest _manifest;
    private readonly MemoryMappedViewAccessor[] _shards;

    private TokenShards(string folder, TokenManifest manifest, MemoryMappedViewAccessor[] shards) => (_folder, _manifest, _shards) = (folder, manifest, shards);

    /// <exception cref="BadInputException">The manifest or a shard is missing, was changed or cut off; the message says which.</exception>
    public static TokenShards Open(string folder)
    {
        var manifest = TokenManifest.Read(folder);
        return new(folder, manifest, [.. manifest.Shards.Select(shard => Open(Path.Combine(folder, shard.Name), shard, manifest.TokenBytes))]);
    }

    public long Length => _manifest.Tokens;

    public int Vocabulary => _manifest.Vocabulary;

    public string TokenizerSha256 => _manifest.TokenizerSha256;

    public void Read(long first, Span<long> into)
    {
        while (!into.IsEmpty)
        {
            var (shard, at) = Math.DivRem(first, _manifest.Shards[0].Tokens);
            var count = (int)Math.Min(into.Length, _manifest.Shards[(int)shard].Tokens - at);
            if (_manifest.TokenBytes == sizeof(ushort)) { Read<ushort>((int)shard, at, into[..count]); }
            else { Read<uint>((int)shard, at, into[..count]); }
            first += count;
            into = into[count..];
        }
    }

    private void Read<T>(int shard, long at, Span<long> into) where T : unmanaged, IBinaryInteger<T>
    {
        var buffer = ArrayPool<T>.Shared.Rent(into.Length);
        try
        {
            var tokens = buffer.AsSpan(0, into.Length);
            _shards[shard].SafeMemoryMappedViewHandle.ReadSpan((ulong)(at * _manifest.TokenBytes), tokens);
            for (var i = 0; i < into.Length; i++)
            {
                var token = long.CreateTruncating(tokens[i]);
                into[i] = token < Vocabulary
                    ? token
                    : throw new BadInputException($"{Path.Combine(_folder, _manifest.Shards[shard].Name)} has the token {token:N0} at place {at + i:N0}; the manifest's vocabulary has {Vocabulary:N0}");
            }
        }
        finally
        {
            ArrayPool<T>.Shared.Return(buffer);
        }
    }

    private static MemoryMappedViewAccessor Open(string path, TokenShard shard, int tokenBytes)
    {
        using (var file = DataFile.OpenRaw(path))
        {
            var bytes = shard.Tokens * tokenBytes;
            if (file.MaxBytes != bytes) { throw file.Bad($"has {file.MaxBytes:N0} bytes; {bytes:N0} for {shard.Tokens:N0} tokens are expected"); }
            CheckHash(file, shard, bytes);
        }

        using var mapped = MemoryMappedFile.CreateFromFile(path, FileMode.Open, mapName: null, capacity: 0, MemoryMappedFileAccess.Read);
        return mapped.CreateViewAccessor(0, 0, MemoryMappedFileAccess.Read);
    }

    private static void CheckHash(DataFile file, TokenShard shard, long bytes)
    {
        var key = (Path.GetFullPath(file.Path), bytes, File.GetLastWriteTimeUtc(file.Path), shard.Sha256);
        if (s_seen.ContainsKey(key)) { return; }
        if (DataRecord.OfFiles([file.Path]).Sha256 != shard.Sha256) { throw file.Bad("was changed or damaged after it was written: its SHA-256 is not the manifest's"); }
        s_seen[key] = true;
    }
}

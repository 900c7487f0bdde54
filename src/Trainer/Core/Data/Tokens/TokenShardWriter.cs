using System.Collections.Immutable;
using System.Runtime.InteropServices;
using System.Security.Cryptography;
using Cluster.Contracts;
using Cluster.Trainer.Core.Checkpoints;

namespace Cluster.Trainer.Core.Data.Tokens;

/// <summary>Writes a stream of tokens into shards of equal length, and hashes them as they go.</summary>
/// <param name="vocabulary">Decides the bytes of a token.</param>
/// <param name="shardTokens">Tokens in each shard but the last; at least 1.</param>
/// <param name="maxShards">A folder with more files serves nobody.</param>
internal sealed class TokenShardWriter(IDisk disk, string folder, int vocabulary, long shardTokens, int maxShards = TokenShardWriter.MaxShards) : IDisposable
{
    public const int MaxShards = 100_000;

    private const int BufferBytes = 1 << 16;

    private readonly int _tokenBytes = vocabulary <= 1 << 16 ? sizeof(ushort) : sizeof(uint);
    private readonly byte[] _buffer = new byte[BufferBytes];
    private readonly IncrementalHash _hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
    private readonly ImmutableArray<TokenShard>.Builder _shards = ImmutableArray.CreateBuilder<TokenShard>();
    private Stream? _shard;
    private long _inShard;
    private int _held; // Bytes in the buffer.

    public long Tokens { get; private set; }

    public void Write(ReadOnlySpan<int> tokens)
    {
        while (!tokens.IsEmpty)
        {
            if (_inShard == shardTokens) { EndShard(); }
            _shard ??= BeginShard();
            var count = (int)Math.Min(Math.Min(tokens.Length, (BufferBytes - _held) / _tokenBytes), shardTokens - _inShard);
            Put(tokens[..count]);
            (_inShard, Tokens) = (_inShard + count, Tokens + count);
            if (_held + _tokenBytes > BufferBytes) { Flush(); }
            tokens = tokens[count..];
        }
    }

    /// <returns>All shards.</returns>
    public ImmutableArray<TokenShard> Finish()
    {
        EndShard();
        return _shards.ToImmutable();
    }

    public void Dispose()
    {
        _shard?.Dispose();
        _hash.Dispose();
    }

    /// <summary>Little-endian, as is every machine that libtorch runs on.</summary>
    private void Put(ReadOnlySpan<int> tokens)
    {
        var into = _buffer.AsSpan(_held, tokens.Length * _tokenBytes);
        if (_tokenBytes == sizeof(uint)) { MemoryMarshal.AsBytes(tokens).CopyTo(into); }
        else
        {
            var small = MemoryMarshal.Cast<byte, ushort>(into);
            for (var i = 0; i < small.Length; i++) { small[i] = (ushort)tokens[i]; }
        }

        _held += into.Length;
    }

    private Stream BeginShard() => _shards.Count < maxShards
        ? disk.CreateFile(Path.Combine(folder, TokenManifest.ShardName(_shards.Count)))
        : throw new BadInputException($"--shard-tokens: found {shardTokens}, which makes more than {maxShards:N0} shards; allowed: a larger number");

    private void EndShard()
    {
        if (_shard is null) { return; }
        Flush();
        disk.Sync(_shard);
        _shard.Dispose();
        _shards.Add(new TokenShard(TokenManifest.ShardName(_shards.Count), _inShard, Convert.ToHexStringLower(_hash.GetHashAndReset())));
        (_shard, _inShard) = (null, 0);
    }

    private void Flush()
    {
        _hash.AppendData(_buffer, 0, _held);
        _shard!.Write(_buffer, 0, _held); // There is one whenever something is held.
        _held = 0;
    }
}

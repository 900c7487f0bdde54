namespace Cluster.Trainer.Core.Collectives.Shared;

/// <summary>
/// What the ranks tell each other at the beginning of every collective: one posting each, of at most
/// <see cref="Board.SlotBytes"/>, which everybody reads on its author's board and checks like a frame.
/// </summary>
/// <param name="own">This rank's board.</param>
/// <param name="peers">By rank; null for this one.</param>
/// <param name="fail">Records a fault of the mesh and returns the one that came first.</param>
internal sealed unsafe class Postings(MeshMembership membership, Board own, SharedPeer?[] peers, PeerWait wait, Func<MeshFault, MeshFaultException> fail)
{
    private uint _sequence;

    /// <summary>Room for the payload of this rank's next posting.</summary>
    public Span<byte> Payload => new(own.Slot(_sequence) + FrameHeader.Size, Board.SlotBytes - FrameHeader.Size);

    /// <summary>Shows the first <paramref name="length"/> bytes of <see cref="Payload"/>.</summary>
    public void Post(FrameKind kind, long round, int length)
    {
        // Memory does not fail as a wire may: it needs no hash.
        new FrameHeader(kind, membership.Generation, round, _sequence, length, Hash: 0).Write(new Span<byte>(own.Slot(_sequence), FrameHeader.Size));
        own.Raise(own.Posted, _sequence + 1);
    }

    /// <summary>What a rank has posted for this collective: waits for it, and checks it. Lies still until the collective ends.</summary>
    /// <param name="length">That is due, in bytes; null for any.</param>
    public ReadOnlySpan<byte> Read(FrameKind kind, long round, int rank, int? length)
    {
        var peer = peers[rank];
        if (peer is not null) { wait.Until(peer, peer.Board.Posted, _sequence + 1); }

        var slot = (peer?.Board ?? own).Slot(_sequence);
        var due = new FrameHeader(kind, membership.Generation, round, _sequence, 0, 0);
        if (FrameHeader.Read(new ReadOnlySpan<byte>(slot, FrameHeader.Size)) is not { } header) { throw Corrupt(rank, "bytes that are no frame"); }
        if (header.Differs(due) is { } difference) { throw Corrupt(rank, difference); }
        if (header.Length is < 0 or > Board.SlotBytes - FrameHeader.Size) { throw Corrupt(rank, $"a frame of {header.Length} bytes"); }
        if (header.Length != (length ?? header.Length)) { throw Corrupt(rank, $"a frame of {header.Length} bytes, not {length}"); }
        return new ReadOnlySpan<byte>(slot + FrameHeader.Size, header.Length);
    }

    /// <summary>Ends the collective: everything is read that is needed.</summary>
    public void Next() => _sequence++;

    public MeshFaultException Corrupt(int rank, string reason) => fail(new MeshFault(FaultKind.Corrupt, rank, $"posted {reason}"));
}

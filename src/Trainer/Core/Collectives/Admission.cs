using System.Net.Sockets;
using System.Security.Cryptography;

namespace Cluster.Trainer.Core.Collectives;

/// <summary>
/// Whom a process lets in for one generation: checks hellos and keeps the connections of the higher ranks until the mesh takes
/// them. Listener threads offer, the training thread takes.
/// </summary>
internal sealed class Admission(MeshMembership membership) : IDisposable
{
    private readonly byte[] _job = Hello.JobHash(membership.JobId);
    private readonly Dictionary<int, Socket> _arrived = [];
    private readonly SemaphoreSlim _arrivals = new(0);
    private bool _closed;

    public Admittance Judge(in Hello hello)
    {
        if (!hello.Job.SequenceEqual(_job)) { return Admittance.WrongJob; }
        if (hello.Generation < membership.Generation) { return Admittance.OldGeneration; }
        if (hello.Generation > membership.Generation) { return Admittance.NotReady; }
        if (!CryptographicOperations.FixedTimeEquals(hello.Secret, membership.Secret.AsSpan())) { return Admittance.WrongSecret; }
        if (hello.To != membership.Rank || hello.From <= membership.Rank || hello.From >= membership.Size) { return Admittance.WrongRank; }
        lock (_arrived) { return _closed ? Admittance.Taken : Admittance.Admitted; }
    }

    /// <summary>Hands an admitted connection over; false when nobody waits for it any more.</summary>
    public bool Offer(int rank, Socket socket)
    {
        lock (_arrived)
        {
            if (_closed) { return false; }
            // A peer connects again only when it gave its last attempt up.
            if (_arrived.Remove(rank, out var older)) { older.Dispose(); }
            _arrived[rank] = socket;
        }

        _arrivals.Release();
        return true;
    }

    /// <summary>Waits for all higher ranks, then lets nobody in any more. Null when the token ends the wait first.</summary>
    /// <param name="missing">On failure, the ranks that did not come.</param>
    public IReadOnlyDictionary<int, Socket>? TakeAll(CancellationToken cancellationToken, out int[] missing)
    {
        while (true)
        {
            lock (_arrived)
            {
                missing = [.. Enumerable.Range(membership.Rank + 1, membership.Size - membership.Rank - 1).Where(r => !_arrived.ContainsKey(r))];
                if (missing.Length == 0)
                {
                    _closed = true;
                    var all = new Dictionary<int, Socket>(_arrived);
                    _arrived.Clear();
                    return all;
                }
            }

            try { _arrivals.Wait(cancellationToken); }
            catch (OperationCanceledException) { return null; }
        }
    }

    /// <summary>Closes the connections that nobody took.</summary>
    public void Dispose()
    {
        lock (_arrived)
        {
            _closed = true;
            foreach (var socket in _arrived.Values) { socket.Dispose(); }
            _arrived.Clear();
        }
    }
}

using System.Net;
using System.Net.Sockets;

namespace Cluster.Trainer.Core.Collectives;

/// <summary>Connects to a lower rank: again and again until it admits us, refuses us for good, or the token ends it.</summary>
internal static class Dialer
{
    private static readonly TimeSpan FirstPause = TimeSpan.FromMilliseconds(2), LongestPause = TimeSpan.FromMilliseconds(100);

    /// <exception cref="MeshFaultException">Refused for good, or not admitted in time.</exception>
    public static Socket Dial(MeshMembership membership, int rank, CancellationToken cancellationToken)
    {
        var pause = FirstPause;
        var last = $"{membership.Members[rank]} did not answer";
        while (!cancellationToken.IsCancellationRequested)
        {
            var socket = Open(membership.Members[rank]);
            try
            {
                Admittance answer;
                using (cancellationToken.Register(socket.Dispose)) // Wakes a blocked connect or receive.
                {
                    socket.Connect(membership.Members[rank]);
                    answer = SayHello(membership, rank, socket);
                }

                if (answer == Admittance.Admitted && !cancellationToken.IsCancellationRequested) { return socket; }
                var heard = $"{membership.Members[rank]} answered {answer}";
                if (answer is Admittance.WrongProtocol or Admittance.OldGeneration or Admittance.WrongSecret or Admittance.WrongRank or Admittance.Taken)
                {
                    throw new MeshFaultException(new MeshFault(FaultKind.Refused, rank, heard));
                }

                Keep(heard);
            }
            catch (Exception e) when (e is SocketException or ObjectDisposedException)
            {
                Keep($"{membership.Members[rank]}: {e.Message}");
            }
            catch
            {
                socket.Dispose();
                throw;
            }

            socket.Dispose();
            cancellationToken.WaitHandle.WaitOne(pause);
            pause = TimeSpan.FromTicks(Math.Min(pause.Ticks * 2, LongestPause.Ticks));
        }

        throw new MeshFaultException(new MeshFault(FaultKind.Unreachable, rank, last));

        // What an attempt came to that the token cut short says nothing of the peer; the one before it does.
        void Keep(string heard) => last = cancellationToken.IsCancellationRequested ? last : heard;
    }

    private static Socket Open(EndPoint member)
    {
        var socket = member is IPEndPoint { AddressFamily: var family }
            ? new Socket(family, SocketType.Stream, ProtocolType.Tcp)
            : new Socket(SocketType.Stream, ProtocolType.Tcp); // A name: both families.
        SocketTuning.Apply(socket);
        return socket;
    }

    private static Admittance SayHello(MeshMembership membership, int rank, Socket socket)
    {
        Span<byte> hello = stackalloc byte[Hello.Size];
        new Hello(membership.Generation, membership.Rank, rank, Hello.JobHash(membership.JobId), membership.Secret.AsSpan()).Write(hello);
        socket.Send(hello);

        Span<byte> answer = stackalloc byte[Hello.AnswerSize];
        return BoundedReceive.TryReceive(socket, answer, DataPlaneListener.HandshakeLimit) ? Hello.ReadAnswer(answer) : Admittance.Unknown;
    }
}

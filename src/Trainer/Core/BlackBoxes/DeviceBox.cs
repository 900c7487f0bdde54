using System.Buffers.Binary;
using System.Diagnostics;
using System.Net;
using System.Net.Sockets;
using System.Runtime.InteropServices;
using Cluster.Contracts;

namespace Cluster.Trainer.Core.BlackBoxes;

/// <summary>
/// A black box behind a TCP connection to another process, as a laboratory device is. Every measurement is one request and one reply of
/// the same form, all little-endian:
/// <code>
///   rows     uint32
///   width    uint32
///   values   float32[rows · width], row by row
/// </code>
/// A connection that broke, and one on which an answer did not come in time, is closed; the next measurement opens a new one.
/// </summary>
internal sealed class DeviceBox : IBlackBox
{
    private const int HeaderBytes = 8;

    private readonly DnsEndPoint _address;
    private readonly TimeSpan _deadline;
    private Socket? _socket;

    /// <param name="address"><c>host:port</c>.</param>
    /// <exception cref="BadInputException">The address is not of that form.</exception>
    public DeviceBox(string address, TimeSpan deadline)
    {
        var colon = address.LastIndexOf(':');
        if (colon < 1 || !ushort.TryParse(address.AsSpan(colon + 1), out var port) || port == 0)
        {
            throw new BadInputException($"model.box.address: '{address}' is not host:port, such as 127.0.0.1:7000");
        }

        (_address, _deadline) = (new DnsEndPoint(address[..colon], port), deadline);
    }

    public float[] Measure(float[] inputs, int width, Moment moment)
    {
        var began = Stopwatch.GetTimestamp();
        try
        {
            _socket ??= Connect(began);
            Send(_socket, inputs, width, began);
            return Receive(_socket, inputs.Length / width, width, began);
        }
        catch (Exception failure) when (failure is SocketException or BlackBoxException)
        {
            Dispose();
            throw failure as BlackBoxException ?? new BlackBoxException(Explain((SocketException)failure));
        }
    }

    public void Dispose()
    {
        _socket?.Dispose();
        _socket = null;
    }

    private Socket Connect(long began)
    {
        var socket = new Socket(SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
        try
        {
            using var limit = new CancellationTokenSource(Left(began));
            socket.ConnectAsync(_address, limit.Token).AsTask().GetAwaiter().GetResult();
            return socket;
        }
        catch (OperationCanceledException)
        {
            socket.Dispose();
            throw Late("no connection");
        }
        catch
        {
            socket.Dispose();
            throw;
        }
    }

    private void Send(Socket socket, float[] inputs, int width, long began)
    {
        Span<byte> header = stackalloc byte[HeaderBytes];
        BinaryPrimitives.WriteUInt32LittleEndian(header, (uint)(inputs.Length / width));
        BinaryPrimitives.WriteUInt32LittleEndian(header[4..], (uint)width);
        SendAll(socket, header, began);
        SendAll(socket, MemoryMarshal.AsBytes(inputs.AsSpan()), began);
    }

    private void SendAll(Socket socket, ReadOnlySpan<byte> bytes, long began)
    {
        while (bytes.Length > 0)
        {
            socket.SendTimeout = Milliseconds(began);
            bytes = bytes[socket.Send(bytes)..];
        }
    }

    private float[] Receive(Socket socket, int rows, int width, long began)
    {
        Span<byte> header = stackalloc byte[HeaderBytes];
        ReceiveAll(socket, header, began);
        var (found, foundWidth) = (BinaryPrimitives.ReadUInt32LittleEndian(header), BinaryPrimitives.ReadUInt32LittleEndian(header[4..]));
        if (found != rows || foundWidth != width) { throw new BlackBoxException($"the device at {_address.Host}:{_address.Port} answered with {found} vectors of {foundWidth} numbers"); }

        var outputs = new float[rows * width];
        ReceiveAll(socket, MemoryMarshal.AsBytes(outputs.AsSpan()), began);
        return outputs;
    }

    private void ReceiveAll(Socket socket, Span<byte> bytes, long began)
    {
        while (bytes.Length > 0)
        {
            socket.ReceiveTimeout = Milliseconds(began);
            var read = socket.Receive(bytes);
            if (read == 0) { throw new BlackBoxException($"the device at {_address.Host}:{_address.Port} closed the connection in the middle of an answer"); }
            bytes = bytes[read..];
        }
    }

    private TimeSpan Left(long began)
    {
        var left = _deadline - Stopwatch.GetElapsedTime(began);
        return left > TimeSpan.Zero ? left : throw Late("no answer");
    }

    private int Milliseconds(long began) => Math.Max(1, (int)Math.Min(int.MaxValue, Left(began).TotalMilliseconds));

    private BlackBoxException Late(string what) => new($"{what} of the device at {_address.Host}:{_address.Port} within {_deadline.TotalMilliseconds:F0} ms");

    private string Explain(SocketException failure) => failure.SocketErrorCode == SocketError.TimedOut
        ? Late("no answer").Message
        : $"the device at {_address.Host}:{_address.Port} cannot be reached: {failure.Message}";
}

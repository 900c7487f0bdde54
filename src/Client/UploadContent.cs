using System.Net;
using System.Net.Http.Headers;

namespace Cluster.Client;

/// <summary>A stream as a body, from where it stands to its end. It is sent once, and stays its owner's.</summary>
internal sealed class UploadContent : HttpContent
{
    private readonly Stream _stream;

    public UploadContent(Stream stream)
    {
        _stream = stream;
        Headers.ContentType = new MediaTypeHeaderValue("application/octet-stream");
    }

    protected override Task SerializeToStreamAsync(Stream stream, TransportContext? context) => _stream.CopyToAsync(stream);

    protected override Task SerializeToStreamAsync(Stream stream, TransportContext? context, CancellationToken cancellationToken) => _stream.CopyToAsync(stream, cancellationToken);

    /// <summary>With its length known, a body that is too large is refused before it is sent.</summary>
    protected override bool TryComputeLength(out long length)
    {
        length = _stream.CanSeek ? _stream.Length - _stream.Position : 0;
        return _stream.CanSeek;
    }
}

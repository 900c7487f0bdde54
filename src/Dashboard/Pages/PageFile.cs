using System.Security.Cryptography;
using Microsoft.Net.Http.Headers;

namespace Cluster.Dashboard.Pages;

/// <summary>A file of <c>wwwroot</c>, as it lies in this assembly.</summary>
internal sealed record PageFile(string Name, string ContentType, byte[] Content, EntityTagHeaderValue Tag)
{
    private const string Folder = "wwwroot/";

    public static IEnumerable<PageFile> All()
    {
        var assembly = typeof(PageFile).Assembly;
        foreach (var resource in assembly.GetManifestResourceNames().Where(name => name.StartsWith(Folder, StringComparison.Ordinal)))
        {
            using var stream = assembly.GetManifestResourceStream(resource)!;
            var content = new byte[stream.Length];
            stream.ReadExactly(content);
            var name = resource[Folder.Length..].Replace('\\', '/');
            yield return new(name, TypeOf(name), content, new($"\"{Convert.ToHexStringLower(SHA256.HashData(content))[..16]}\""));
        }
    }

    private static string TypeOf(string name) => Path.GetExtension(name) switch
    {
        ".html" => "text/html; charset=utf-8",
        ".js" => "text/javascript; charset=utf-8",
        ".css" => "text/css; charset=utf-8",
        ".svg" => "image/svg+xml",
        _ => "text/plain; charset=utf-8",
    };
}

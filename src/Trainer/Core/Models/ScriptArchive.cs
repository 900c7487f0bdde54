using System.IO.Compression;
using System.IO.Hashing;
using System.Text;
using System.Text.RegularExpressions;
using Cluster.Contracts;

namespace Cluster.Trainer.Core.Models;

/// <summary>
/// A TorchScript file as it lies on the disk: a zip archive with the code as text, a pickle of the module, and its tensors. What is wrong
/// with it is found here, before native code sees it.
/// </summary>
internal static partial class ScriptArchive
{
    /// <summary>Every entry is as it was written, there is a module among them, and its code assigns to no attribute.</summary>
    /// <param name="path">Names it in messages.</param>
    /// <exception cref="BadInputException">It is damaged, is something else, or keeps state of its own.</exception>
    public static void Check(byte[] file, string path)
    {
        try
        {
            using var zip = new ZipArchive(new MemoryStream(file, writable: false), ZipArchiveMode.Read);
            var budget = ScriptFile.MaxBytes;
            foreach (var entry in zip.Entries) { budget -= CheckBytes(entry, budget, path); }
            CheckKind(zip, path);
            foreach (var code in zip.Entries.Where(entry => entry.FullName.Contains("/code/", StringComparison.Ordinal) && entry.FullName.EndsWith(".py", StringComparison.Ordinal)))
            {
                using var text = new StreamReader(code.Open(), Encoding.UTF8);
                if (Assigned(text.ReadToEnd()) is { } attribute)
                {
                    throw Wrong(path, $"changes its own attribute '{attribute}' as it runs: what a leaf gives would depend on the leaves before it. A module must be a function of its parameters and its input");
                }
            }
        }
        catch (Exception e) when (e is InvalidDataException or EndOfStreamException or NotSupportedException)
        {
            throw Wrong(path, $"is no TorchScript archive, or is damaged: {e.Message}");
        }
    }

    /// <summary>The first attribute of a module that code assigns to, as <c>self.count = ...</c>; null where there is none.</summary>
    internal static string? Assigned(string code)
    {
        var isModule = false;
        foreach (var line in code.Split('\n'))
        {
            // Classes that are no modules are values of their own; they may be built.
            if (line.StartsWith("class ", StringComparison.Ordinal)) { isModule = line.Contains("(Module)", StringComparison.Ordinal); }
            if (isModule && Assignment().Match(line) is { Success: true } match) { return match.Groups[1].Value; }
        }

        return null;
    }

    public static BadInputException Wrong(string path, string what) => new($"model.file: {path} {what}");

    /// <returns>How many bytes it holds.</returns>
    private static long CheckBytes(ZipArchiveEntry entry, long budget, string path)
    {
        var crc = new Crc32();
        var block = new byte[1 << 16];
        var length = 0L;
        using var content = entry.Open();
        for (var read = content.Read(block); read > 0; read = content.Read(block))
        {
            length += read;
            if (length > budget) { throw Wrong(path, $"holds more than {ScriptFile.MaxBytes:N0} bytes once unpacked"); }
            crc.Append(block.AsSpan(0, read));
        }

        return crc.GetCurrentHashAsUInt32() == entry.Crc32 && length == entry.Length ? length : throw Wrong(path, $"is damaged: the bytes of {entry.FullName} are not those that were written");
    }

    private static void CheckKind(ZipArchive zip, string path)
    {
        bool Has(string name) => zip.Entries.Any(entry => entry.FullName.EndsWith($"/{name}", StringComparison.Ordinal));
        if (Has("data.pkl") && Has("constants.pkl") && zip.Entries.Any(entry => entry.FullName.Contains("/code/", StringComparison.Ordinal))) { return; }
        throw Wrong(path, Has("data.pkl")
            ? "holds tensors without code, as torch.save writes them: save the module with torch.jit.script(module).save(file)"
            : "is no TorchScript archive: torch.jit.script(module).save(file) writes one");
    }

    /// <summary>As libtorch prints an assignment to an attribute: an object, an attribute, an equals sign.</summary>
    [GeneratedRegex(@"^\s+\(?\w+\)?\.(\w+) = ")]
    private static partial Regex Assignment();
}

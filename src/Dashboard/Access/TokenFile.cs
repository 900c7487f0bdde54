using System.Text.Json;
using Cluster.Contracts;
using Cluster.Contracts.Api;

namespace Cluster.Dashboard.Access;

/// <summary>
/// The file that says which tokens there are. It belongs to the operator: <c>cluster token</c> writes it, every dashboard that is
/// told of it reads it, and none writes, so it may be a mounted secret, and any number of dashboards share it.
/// </summary>
public sealed class TokenFile(string path)
{
    /// <summary>Its name in a store, where nobody names another.</summary>
    public const string DefaultName = "tokens.json";

    private const int MaxBytes = 4 << 20;
    private static readonly TimeSpan LockPatience = TimeSpan.FromSeconds(5);

    public string Path { get; } = System.IO.Path.GetFullPath(path);

    public bool Exists => File.Exists(Path);

    /// <summary>None while there is no file.</summary>
    /// <exception cref="BadInputException">The file is there and cannot be read.</exception>
    public TokenList Read()
    {
        try
        {
            if (!Exists) { return new([]); }
            using var stream = new FileStream(Path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete);
            if (stream.Length > MaxBytes) { throw new JsonException($"it has {stream.Length:N0} bytes; at most {MaxBytes:N0} are allowed"); }
            return JsonSerializer.Deserialize(stream, TokenJson.Default.TokenList) is { Tokens.IsDefault: false } list ? list : throw new JsonException("the key tokens is missing");
        }
        catch (FileNotFoundException)
        {
            return new([]);
        }
        catch (Exception e) when (e is JsonException or IOException or UnauthorizedAccessException)
        {
            throw new BadInputException($"{Path} is no file of tokens that can be read: {e.Message}");
        }
    }

    /// <summary>Makes a token and keeps its hash.</summary>
    /// <returns>The token, which cannot be had again, and what is kept.</returns>
    /// <exception cref="BadInputException">The file cannot be read or written.</exception>
    public (string Token, TokenRecord Record) Create(string name, Role role, DateTimeOffset now, DateTimeOffset? expires)
    {
        using var held = Lock();
        var created = TokenRecord.Create(name, role, now, expires);
        Write(new([.. Read().Tokens, created.Record]));
        return created;
    }

    /// <returns>False when there is no such token.</returns>
    /// <exception cref="BadInputException">The file cannot be read or written.</exception>
    public bool Revoke(string id)
    {
        using var held = Lock();
        var before = Read();
        var after = before.Tokens.RemoveAll(token => token.Id == id);
        if (after.Length == before.Tokens.Length) { return false; }
        Write(new(after));
        return true;
    }

    /// <summary>Two people who make tokens at once get both.</summary>
    private FileStream Lock()
    {
        var began = TimeProvider.System.GetTimestamp();
        for (var wait = new SpinWait(); ; wait.SpinOnce()) // Turns into short sleeps.
        {
            try
            {
                Directory.CreateDirectory(System.IO.Path.GetDirectoryName(Path)!);
                return new FileStream(Path + ".lock", FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.None);
            }
            catch (UnauthorizedAccessException e)
            {
                throw new BadInputException($"{Path} cannot be written: {e.Message}");
            }
            catch (IOException e)
            {
                if (TimeProvider.System.GetElapsedTime(began) > LockPatience) { throw new BadInputException($"{Path} cannot be written: {e.Message}"); }
            }
        }
    }

    /// <summary>Whole or not at all, and for its owner alone.</summary>
    private void Write(TokenList list)
    {
        try
        {
            var partial = Path + ".partial";
            File.Delete(partial);
            var options = new FileStreamOptions { Mode = FileMode.CreateNew, Access = FileAccess.Write };
            if (!OperatingSystem.IsWindows()) { options.UnixCreateMode = UnixFileMode.UserRead | UnixFileMode.UserWrite; }
            using (var file = new FileStream(partial, options)) { JsonSerializer.Serialize(file, list, TokenJson.Default.TokenList); }
            File.Move(partial, Path, overwrite: true);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new BadInputException($"{Path} cannot be written: {e.Message}");
        }
    }
}

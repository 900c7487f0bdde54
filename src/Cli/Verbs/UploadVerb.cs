using System.CommandLine;
using System.Globalization;
using Cluster.Contracts;
using Cluster.Contracts.Api;

namespace Cluster.Cli.Verbs;

/// <summary><c>cluster upload FILE</c>, <c>uploads</c> and <c>remove-upload NAME</c>: files that specs name as <c>upload:NAME</c>.</summary>
internal static class UploadVerb
{
    public static Command Create()
    {
        var file = new Argument<FileInfo>("file") { Description = "A module, or a text to train on." };
        var name = new Option<string?>("--name") { Description = "What specs call it; by default the file's own name.", HelpName = "NAME" };
        return ClusterVerb.Create("upload", "Hands a file to a cluster; specs name it as upload:NAME.", [file, name], async (client, parsed, output, cancellationToken) =>
        {
            var path = parsed.GetRequiredValue(file).FullName;
            var chosen = parsed.GetValue(name) ?? Path.GetFileName(path);
            if (!Ids.IsValid(chosen)) { throw new BadInputException($"--name: found '{chosen}', allowed: {Ids.Rule}"); }
            await using var content = Open(path);
            var uploaded = await client.UploadAsync(chosen, content, cancellationToken);
            return output.Answer(uploaded, ApiJson.Default.UploadedFile, o => o.Line($"{Uploads.Prefix}{uploaded.Name}: {Output.Number(uploaded.Bytes)} bytes, SHA-256 {uploaded.Sha256}"));
        });
    }

    public static Command CreateList()
    {
        var count = new Option<int>("--count") { Description = "At most so many files, 1 to 500.", HelpName = "N", DefaultValueFactory = _ => 50 };
        var skip = new Option<int>("--skip") { Description = "Leaves the first so many out.", HelpName = "N" };
        return ClusterVerb.Create("uploads", "Lists uploaded files, by name.", [count, skip], async (client, parsed, output, cancellationToken) =>
        {
            var page = await client.FilesAsync(parsed.GetValue(skip), parsed.GetValue(count), cancellationToken);
            return output.Answer(page, ApiJson.Default.FilePage, o =>
            {
                o.Table(
                    ["file", "bytes", "uploaded", "SHA-256"],
                    page.Files.Select(file => (IReadOnlyList<string>)[$"{Uploads.Prefix}{file.Name}", Output.Number(file.Bytes), Output.Time(file.Uploaded.UtcDateTime), file.Sha256]));
                if (page.Next is { } next) { o.Line(string.Create(CultureInfo.InvariantCulture, $"{page.Total} files in all; more with --skip {next}")); }
            });
        });
    }

    public static Command CreateRemove()
    {
        var name = new Argument<string>("name") { Description = "As uploads prints it, with or without upload: before it." };
        return ClusterVerb.Create("remove-upload", "Deletes an uploaded file; a job that still needs it fails.", [name], async (client, parsed, output, cancellationToken) =>
        {
            var chosen = parsed.GetRequiredValue(name);
            var file = await client.FileAsync(Uploads.NameOf(chosen) ?? chosen, cancellationToken);
            await client.RemoveFileAsync(file.Name, cancellationToken);
            return output.Answer(file, ApiJson.Default.UploadedFile, o => o.Line($"{file.Name} is deleted"));
        });
    }

    private static FileStream Open(string path)
    {
        if (Directory.Exists(path)) { throw new BadInputException($"{path} is a folder; a file is expected"); }
        try { return new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.Read, bufferSize: 1 << 16, FileOptions.Asynchronous | FileOptions.SequentialScan); }
        catch (Exception e) when (e is FileNotFoundException or DirectoryNotFoundException) { throw new BadInputException($"{path}: no such file"); }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException) { throw new BadInputException($"{path} cannot be read: {e.Message}"); }
    }
}

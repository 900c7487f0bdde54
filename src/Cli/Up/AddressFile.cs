using System.Text.Json;
using System.Text.Json.Serialization;

namespace Cluster.Cli.Up;

/// <summary>
/// <c>STORE/cluster.json</c>: where the cluster that <c>cluster up</c> started on this store can be reached. Only its owner may
/// read it: the secret in it ends the cluster.
/// </summary>
/// <param name="Url">Of the API.</param>
/// <param name="Gateway">Where further workers connect.</param>
/// <param name="Secret">The token of whoever started the cluster: the tool uses it where no other is given, and <c>down</c> ends the cluster with it.</param>
internal sealed record AddressFile(int Pid, string Url, string Gateway, string Secret)
{
    private const string Name = "cluster.json";

    private static string PathIn(string store) => Path.Combine(store, Name);

    /// <summary>Null when there is none, or none that can be read.</summary>
    public static AddressFile? Read(string store)
    {
        try
        {
            return JsonSerializer.Deserialize(File.ReadAllBytes(PathIn(store)), AddressJson.Default.AddressFile);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or JsonException)
        {
            return null;
        }
    }

    /// <summary>Whole or not at all.</summary>
    public void Write(string store)
    {
        var partial = $"{PathIn(store)}.partial-{Pid}";
        File.Delete(partial);
        var options = new FileStreamOptions { Mode = FileMode.CreateNew, Access = FileAccess.Write };
        if (!OperatingSystem.IsWindows()) { options.UnixCreateMode = UnixFileMode.UserRead | UnixFileMode.UserWrite; }
        using (var file = new FileStream(partial, options)) { JsonSerializer.Serialize(file, this, AddressJson.Default.AddressFile); }
        File.Move(partial, PathIn(store), overwrite: true);
    }

    public static void Delete(string store) => File.Delete(PathIn(store));

    /// <summary>What of it may be shown.</summary>
    public string ToJson() => JsonSerializer.Serialize(new ShownAddress(Pid, Url, Gateway), AddressJson.Default.ShownAddress);

    public override string ToString() => $"{Url} (process {Pid})"; // Without the secret.
}

internal sealed record ShownAddress(int Pid, string Url, string Gateway);

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase, RespectNullableAnnotations = true, RespectRequiredConstructorParameters = true)]
[JsonSerializable(typeof(AddressFile))]
[JsonSerializable(typeof(ShownAddress))]
internal sealed partial class AddressJson : JsonSerializerContext;

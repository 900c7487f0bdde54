using System.CommandLine;
using System.Globalization;
using System.Text.Json;
using Cluster.Client;
using Cluster.Contracts;
using Cluster.Contracts.Api;
using Cluster.Dashboard.Access;

namespace Cluster.Cli.Verbs;

/// <summary>
/// <c>cluster token create|list|revoke</c>: who may use the API. It works on the file of tokens, so it is for whoever may write
/// that file; dashboards notice a change within a second.
/// </summary>
internal static class TokenVerb
{
    private const int MaxDays = 3650;
    private const int MaxNameLength = 100;

    private static readonly Option<string?> s_file = new("--file")
    {
        Description = $"The file of tokens, as the dashboard's setting Cluster:Tokens names it. By default {TokenFile.DefaultName} in the store.",
        HelpName = "FILE",
    };

    public static Command Create() => new("token", "Makes, lists and revokes the tokens with which people and programs use the API.") { CreateToken(), ListTokens(), Revoke() };

    private static Command CreateToken()
    {
        var role = new Option<string>("--role") { Description = "What its holder may do: viewer, submitter or admin.", HelpName = "ROLE", Required = true };
        var name = new Option<string>("--name") { Description = "Whose it is, for lists and the audit log.", HelpName = "NAME", DefaultValueFactory = _ => Environment.UserName };
        var days = new Option<int?>("--days") { Description = "It expires after so many days. By default never.", HelpName = "N" };
        var command = new Command("create", "Makes a token and prints it, once.") { role, name, days, VerbOptions.Store, s_file, VerbOptions.Json };
        command.SetAction(parsed =>
        {
            var now = TimeProvider.System.GetUtcNow();
            var file = FileOf(parsed);
            var (token, record) = file.Create(Name(parsed.GetRequiredValue(name)), Parse(parsed.GetRequiredValue(role)), now, Expiry(parsed.GetValue(days), now));
            if (parsed.GetValue(VerbOptions.Json)) { Console.Out.WriteLine(JsonSerializer.Serialize(new CreatedToken(token, record), TokenVerbJson.Default.CreatedToken)); }
            else
            {
                Console.Error.WriteLine($"The token of {record.Name} ({record.Role}, id {record.Id}) is shown this once; {file.Path} keeps a hash of it.");
                Console.Out.WriteLine(token);
            }

            return ExitCodes.Succeeded;
        });
        return command;
    }

    private static Command ListTokens()
    {
        var command = new Command("list", "Lists the tokens there are; none can be had again.") { VerbOptions.Store, s_file, VerbOptions.Json };
        command.SetAction(parsed => new Output(parsed.GetValue(VerbOptions.Json)).Answer(FileOf(parsed).Read(), TokenVerbJson.Default.TokenList, output =>
            output.Table(["id", "name", "role", "created", "expires"], FileOf(parsed).Read().Tokens.Select(Row))));
        return command;
    }

    private static Command Revoke()
    {
        var id = new Argument<string>("token") { Description = "The token's id, as list prints it." };
        var command = new Command("revoke", "Makes a token good for nothing, within a second.") { id, VerbOptions.Store, s_file };
        command.SetAction(parsed =>
        {
            var (file, wanted) = (FileOf(parsed), parsed.GetRequiredValue(id));
            if (!file.Revoke(wanted)) { throw new BadInputException($"{file.Path} has no token with the id {wanted}; 'cluster token list' shows them"); }
            Console.Out.WriteLine($"{wanted} is good for nothing any more.");
            return ExitCodes.Succeeded;
        });
        return command;
    }

    private static TokenFile FileOf(ParseResult parsed) =>
        new(parsed.GetValue(s_file) ?? Path.Combine(parsed.GetRequiredValue(VerbOptions.Store), TokenFile.DefaultName));

    private static Role Parse(string text) =>
        Enum.GetValues<Role>().FirstOrDefault(role => role.ToString().Equals(text, StringComparison.OrdinalIgnoreCase)) is var role and not Role.None
            ? role
            : throw new BadInputException($"--role: found '{text}', allowed: viewer, submitter, admin");

    private static string Name(string text) =>
        text.Length is >= 1 and <= MaxNameLength && !text.Any(char.IsControl)
            ? text
            : throw new BadInputException($"--name: allowed are 1 to {MaxNameLength} characters on one line");

    private static DateTimeOffset? Expiry(int? days, DateTimeOffset now) => days switch
    {
        null => null,
        >= 1 and <= MaxDays => now.AddDays(days.Value),
        _ => throw new BadInputException($"--days: found {days}, allowed: 1 to {MaxDays}"),
    };

    private static IReadOnlyList<string> Row(TokenRecord token) =>
    [
        token.Id, token.Name, token.Role.ToString(), token.Created.ToString("u", CultureInfo.InvariantCulture), token.Expires?.ToString("u", CultureInfo.InvariantCulture) ?? "never",
    ];
}

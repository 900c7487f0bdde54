using System.Reflection;
using System.Text.Json;
using System.Text.RegularExpressions;
using System.Xml.Linq;

namespace Cluster.Tests.Spec;

/// <summary>The summaries of an assembly's doc comments as plain text, from the XML file beside it.</summary>
internal sealed partial class DocComments(Assembly assembly)
{
    private readonly Dictionary<string, string> _summaries = XDocument.Load(Path.ChangeExtension(assembly.Location, ".xml"))
        .Descendants("member")
        .Where(m => m.Element("summary") is not null)
        .ToDictionary(m => m.Attribute("name")!.Value, m => Plain(m.Element("summary")!));

    /// <summary>Null where there is none.</summary>
    public string? Of(MemberInfo member) => _summaries.GetValueOrDefault(member switch
    {
        Type type => $"T:{Name(type)}",
        PropertyInfo property => $"P:{Name(property.DeclaringType!)}.{property.Name}",
        _ => $"F:{Name(member.DeclaringType!)}.{member.Name}",
    });

    private static string Name(Type type) => type.FullName!.Replace('+', '.');

    private static string Plain(XElement summary) => Blanks().Replace(string.Concat(summary.Nodes().Select(Plain)), " ").Trim();

    private static string Plain(XNode node) => node switch
    {
        XText text => text.Value,
        XElement { Name.LocalName: "see" } see => KeyOf(see.Attribute("cref")!.Value),
        XElement element => element.Value,
        _ => "",
    };

    /// <summary>A reference to a property or to a record of the spec, as the user writes the key.</summary>
    private static string KeyOf(string reference) =>
        JsonNamingPolicy.CamelCase.ConvertName(RecordSuffix().Replace(reference[(reference.LastIndexOf('.') + 1)..], ""));

    [GeneratedRegex(@"\s+")]
    private static partial Regex Blanks();

    [GeneratedRegex("Spec$")]
    private static partial Regex RecordSuffix();
}

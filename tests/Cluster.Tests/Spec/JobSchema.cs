using System.Globalization;
using System.Text.Json.Nodes;
using Cluster.Contracts.Spec;

namespace Cluster.Tests.Spec;

/// <summary>
/// The JSON Schema (draft 2020-12) of a job spec, for editors: keys, types, limits, defaults and doc comments. It is made from the
/// records that the reader binds to. Rules between keys of different records are the reader's alone.
/// </summary>
internal sealed class JobSchema(DocComments comments)
{
    private readonly JsonObject _definitions = [];

    public JsonObject Generate()
    {
        var root = Record(typeof(JobSpec), kind: null);
        root.Insert(0, "$schema", "https://json-schema.org/draft/2020-12/schema");
        root.Insert(1, "title", "A job of the training cluster");
        root["$defs"] = _definitions;
        return root;
    }

    /// <param name="kind">The value of <c>kind</c> that chooses this record among its family.</param>
    private JsonObject Record(Type type, string? kind)
    {
        var keys = SpecKey.Of(type);
        var defaults = Activator.CreateInstance(type)!;
        var properties = new JsonObject();
        if (kind is not null)
        {
            properties[SpecNames.Kind] = new JsonObject { ["const"] = kind };
        }

        foreach (var key in keys)
        {
            properties[key.Name] = Key(key, key.Property.GetValue(defaults));
        }

        string[] required = [.. kind is null ? [] : (string[])[SpecNames.Kind], .. keys.Where(k => k is { Required: true, Uses: [] }).Select(k => k.Name)];
        var schema = new JsonObject { ["description"] = comments.Of(type), ["type"] = "object", ["properties"] = properties, ["additionalProperties"] = false };
        if (required.Length > 0)
        {
            schema["required"] = Strings(required);
        }

        JsonNode[] conditions =
        [
            .. keys.SelectMany(k => k.Uses, (k, condition) => UsedWith(k, condition, defaults)),
            .. keys.Where(k => k is { Required: true, Uses: not [] }).Select(RequiredWith),
        ];
        if (conditions.Length > 0)
        {
            schema["allOf"] = new JsonArray(conditions);
        }

        return Compact(schema);
    }

    private JsonObject Key(SpecKey key, object? value)
    {
        var schema = key.ItemType is { } item
            ? new JsonObject { ["type"] = "array", ["items"] = Compact(Value(item, key)), ["minItems"] = key.NotEmpty ? 1 : null }
            : Value(key.Type, key);
        schema.Insert(0, "description", Description(key));
        schema["default"] = Default(value);
        return Compact(schema);
    }

    private JsonObject Value(Type type, SpecKey key) => type switch
    {
        _ when type == typeof(string) => new() { ["type"] = "string", ["pattern"] = key.IsName ? NameAttribute.Pattern : null, ["minLength"] = key.IsName ? null : 1 },
        _ when type == typeof(bool) => new() { ["type"] = "boolean" },
        _ when type == typeof(double) => Limited("number", key),
        _ when type == typeof(int) || type == typeof(long) => Limited("integer", key),
        _ when type.IsEnum => new() { ["enum"] = Strings(SpecNames.ValuesOf(type).Select(v => v.Name)) },
        _ => Reference(type),
    };

    private static JsonObject Limited(string type, SpecKey key)
    {
        var schema = new JsonObject { ["type"] = type };
        foreach (var limit in key.Limits)
        {
            var keyword = limit switch
            {
                AtLeastAttribute => "minimum",
                AboveAttribute => "exclusiveMinimum",
                AtMostAttribute => "maximum",
                BelowAttribute => "exclusiveMaximum",
                _ => throw new NotSupportedException($"a limit without a JSON Schema keyword: {limit.Rule}"),
            };
            schema[keyword] = Number(limit.Bound);
        }

        return schema;
    }

    private JsonObject Reference(Type type)
    {
        var name = type.Name.Replace("Spec", "", StringComparison.Ordinal);
        if (!_definitions.ContainsKey(name))
        {
            _definitions[name] = new JsonObject();
            _definitions[name] = type.IsAbstract
                ? new JsonObject { ["description"] = comments.Of(type), ["oneOf"] = new JsonArray([.. SpecNames.CasesOf(type).Select(c => Record(c.Case, c.Name))]) }
                : Record(type, kind: null);
        }

        return new JsonObject { ["$ref"] = $"#/$defs/{name}" };
    }

    /// <summary>If the key is given, the key it depends on has one of the values; left out, that key has its default.</summary>
    private static JsonObject UsedWith(SpecKey key, KeyCondition condition, object defaults)
    {
        var chooser = SpecNames.Of(condition.Chooser);
        var then = Chosen([condition]);
        if (!condition.HoldsIn(defaults))
        {
            then["required"] = Strings([chooser]);
        }

        return new() { ["if"] = new JsonObject { ["required"] = Strings([key.Name]) }, ["then"] = then };
    }

    /// <summary>If the keys it depends on have such values, the key is given. Only on keys that are themselves required does one depend so.</summary>
    private static JsonObject RequiredWith(SpecKey key) =>
        new() { ["if"] = Chosen(key.Uses), ["then"] = new JsonObject { ["required"] = Strings([key.Name]) } };

    private static JsonObject Chosen(IEnumerable<KeyCondition> conditions) => new()
    {
        ["properties"] = new JsonObject(conditions.Select(c => KeyValuePair.Create<string, JsonNode?>(SpecNames.Of(c.Chooser), new JsonObject { ["enum"] = Strings(c.Choices) }))),
    };

    /// <summary>The doc comment of the key, or else of its type, and of each value of an enum.</summary>
    private string? Description(SpecKey key)
    {
        var text = comments.Of(key.Property) ?? comments.Of(key.ItemType ?? key.Type);
        var values = key.Type.IsEnum
            ? key.Type.GetFields().Select(f => (Name: SpecNames.Of(f), Text: comments.Of(f))).Where(v => v.Text is not null).Select(v => $"{v.Name}: {v.Text}")
            : [];
        return string.Join('\n', [.. text is null ? [] : (string[])[text], .. values]) is { Length: > 0 } all ? all : null;
    }

    private static JsonNode? Default(object? value) => value switch
    {
        null or double.PositiveInfinity => null,
        bool truth => truth,
        string text => text,
        Enum choice => Enum.IsDefined(choice.GetType(), choice) ? SpecNames.Of(choice) : null,
        int or long or double => Number(Convert.ToDouble(value, CultureInfo.InvariantCulture)),
        ValueList<int> numbers => new JsonArray([.. numbers.Select(n => JsonValue.Create(n))]),
        _ => null,
    };

    private static JsonValue Number(double value) => value == Math.Floor(value) ? JsonValue.Create((long)value) : JsonValue.Create(value);

    private static JsonArray Strings(IEnumerable<string> texts) => [.. texts.Select(t => JsonValue.Create(t))];

    private static JsonObject Compact(JsonObject schema)
    {
        foreach (var empty in schema.Where(p => p.Value is null).Select(p => p.Key).ToArray())
        {
            schema.Remove(empty);
        }

        return schema;
    }
}

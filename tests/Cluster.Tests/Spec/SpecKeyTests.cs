using System.Text.RegularExpressions;
using Cluster.Contracts.Spec;

namespace Cluster.Tests.Spec;

/// <summary>Rules that every key keeps, the ones added tomorrow included.</summary>
public sealed class SpecKeyTests
{
    private static IEnumerable<(Type Record, SpecKey Key)> AllKeys() => Records(typeof(JobSpec), []).SelectMany(r => SpecKey.Of(r).Select(k => (r, k)));

    private static HashSet<Type> Records(Type type, HashSet<Type> found)
    {
        if (type.IsAbstract)
        {
            foreach (var (_, kind) in SpecNames.CasesOf(type))
            {
                Records(kind, found);
            }
        }
        else if (!SpecScalars.IsScalar(type) && found.Add(type))
        {
            foreach (var key in SpecKey.Of(type))
            {
                Records(key.ItemType ?? key.Type, found);
            }
        }

        return found;
    }

    /// <summary>So that 99999999999 is refused in words, and products such as rounds times batch cannot overflow.</summary>
    [Fact]
    public void Every_whole_number_but_the_seed_has_a_lower_and_an_upper_limit() => Assert.All(
        AllKeys().Where(k => (k.Key.ItemType ?? k.Key.Type) is var type && (type == typeof(int) || type == typeof(long)) && k.Key.Name != "seed"),
        k => Assert.True(k.Key.Limits is [AtLeastAttribute, AtMostAttribute], $"{k.Record.Name}.{k.Key.Name}"));

    [Fact]
    public void Every_other_number_has_a_lower_limit() => Assert.All(
        AllKeys().Where(k => k.Key.Type == typeof(double)),
        k => Assert.True(k.Key.Limits is [AtLeastAttribute or AboveAttribute, ..], $"{k.Record.Name}.{k.Key.Name}"));

    [Fact]
    public void Names_are_camel_case_words_and_kinds_and_values_are_lower_case_or_camel_case()
    {
        Assert.All(AllKeys(), k => Assert.Matches("^[a-z][A-Za-z0-9]*$", k.Key.Name));
        Assert.All(
            AllKeys().Where(k => k.Key.Type.IsEnum).SelectMany(k => SpecNames.ValuesOf(k.Key.Type)),
            v => Assert.Matches(new Regex("^[a-z][A-Za-z0-9]*(\\+[a-z]+)?$"), v.Name));
        Assert.Equal(["mlp", "lenet", "resnet", "bert", "gpt", "mae", "gcn", "sage", "gat", "physical", "torchscript"], SpecNames.CasesOf(typeof(ModelSpec)).Select(c => c.Name));
        Assert.Equal(["digits", "mnist", "fashion-mnist", "cifar10", "text", "tokens", "vowels", "graph"], SpecNames.CasesOf(typeof(DataSpec)).Select(c => c.Name));
        Assert.Equal(["dense", "graph", "physical"], SpecNames.CasesOf(typeof(ForwardForwardSpec)).Select(c => c.Name));
        Assert.Equal(["smooth", "quantised", "table", "device"], SpecNames.CasesOf(typeof(BoxSpec)).Select(c => c.Name));
    }

    [Fact]
    public void A_key_that_depends_on_another_comes_after_it() => Assert.All(
        AllKeys().SelectMany(k => k.Key.Uses, (k, condition) => (k.Record, k.Key, condition.Chooser)),
        k => Assert.True(k.Chooser.MetadataToken < k.Key.Property.MetadataToken, $"{k.Record.Name}.{k.Key.Name}"));
}

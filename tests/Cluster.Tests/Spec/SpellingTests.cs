using Cluster.Contracts.Spec;

namespace Cluster.Tests.Spec;

public sealed class SpellingTests
{
    [Theory]
    [InlineData("", "abc", 3)]
    [InlineData("abc", "abc", 0)]
    [InlineData("abc", "ABC", 0)]
    [InlineData("abc", "acb", 1)]
    [InlineData("kitten", "sitting", 3)]
    public void Distance_counts_edits_and_swaps(string a, string b, int edits) => Assert.Equal(edits, Spelling.Distance(a, b));

    [Fact]
    public void A_word_far_from_all_candidates_has_no_nearest() => Assert.Null(Spelling.Nearest("colour", ["batch", "leaf", "epochs"]));
}

using Cluster.Contracts.Spec;
using Cluster.Tests.Spec;
using Cluster.Trainer.Core;
using Cluster.Trainer.Core.Data;
using Cluster.Trainer.Core.State;
using Cluster.Trainer.Methods.Lamb;
using static TorchSharp.torch;

namespace Cluster.Tests.Rounds;

[Collection(TorchTests.Name)]
public sealed class LargeBatchMethodTests
{
    [Fact]
    public void A_round_without_anything_to_predict_changes_nothing()
    {
        using var method = new LargeBatchMethod(SpecReader.Read(SpecSamples.Digits, "digits.yaml").Require(), [DataRoots.Shipped], CPU);
        using var sum = new FlatBuffer(method.ContributionLength);
        var before = StateHash.Of(method.State);

        Assert.Equal("no sample of the round has anything to predict", method.Update(0, sum, new Tally(Samples: 8, Weight: 0, Loss: 0, Correct: 0, Leaves: 1)).Skipped);
        Assert.Equal(before, StateHash.Of(method.State));
    }
}

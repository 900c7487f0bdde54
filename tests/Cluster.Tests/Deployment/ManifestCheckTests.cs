using System.Net;
using Cluster.Tests.Api;

namespace Cluster.Tests.Deployment;

/// <summary>Every rule holds for every installation, as the files say it and as kustomize puts it together.</summary>
public sealed class ManifestCheckTests
{
    public static TheoryData<string, bool, string> Cases
    {
        get
        {
            var data = new TheoryData<string, bool, string>();
            foreach (var overlay in (string[])["dev", "prod", "prod-gpu"])
            {
                foreach (var rule in ManifestChecks.All.Keys)
                {
                    data.Add(overlay, false, rule);
                    data.Add(overlay, true, rule);
                }
            }

            return data;
        }
    }

    [SkippableTheory, MemberData(nameof(Cases))]
    public void Rule(string overlay, bool isRendered, string rule) => Assert.Equal([], ManifestChecks.All[rule](new Installation(Overlays.Yaml(overlay, isRendered))));

    [SkippableTheory, InlineData("dev"), InlineData("prod"), InlineData("prod-gpu")]
    public void Fields_are_those_that_Kubernetes_knows_and_needs(string overlay) => Assert.Equal([], ManifestChecks.Fields(Overlays.Yaml(overlay, isRendered: true)));

    /// <summary>Patches are not whole documents, so the files alone say what is missing only where nothing patches.</summary>
    [Theory, MemberData(nameof(Overlays.All), MemberType = typeof(Overlays))]
    public void Files_have_the_fields_that_Kubernetes_knows_and_needs(string overlay) => Assert.Equal([], ManifestChecks.Fields(Manifests.Unpatched(overlay)));

    /// <summary>A kind that goes out of use leaves the script and its file too.</summary>
    [Fact]
    public void Schemas_are_of_the_kinds_that_are_used()
    {
        var used = ManifestChecks.Nodes(Manifests.Unpatched("prod-gpu")).Concat(ManifestChecks.Nodes(Manifests.Unpatched("dev"))).Select(node => $"{node["apiVersion"]}/{node["kind"]}").Distinct();
        Assert.Equal(used.Order(StringComparer.Ordinal), Schemas.Kinds.Order(StringComparer.Ordinal));
    }

    [Fact]
    public void The_guide_says_how_to_make_the_Secrets_that_are_not_here() =>
        Assert.All(Installation.OperatorsSecrets, name => Assert.Matches($"create secret [a-z]+ {name}", Manifests.Guide));

    [Fact]
    public void The_build_makes_the_images_that_manifests_name() =>
        Assert.Equal(["cluster-dashboard", "cluster-silo", "cluster-trainer", "cluster-trainer-cuda"], PodChecks.Built.Names);

    [Fact]
    public async Task The_API_answers_the_probes()
    {
        await using var own = await OwnApi.StartAsync();
        var asked = new Installation(Manifests.Unpatched("prod")).Of("dashboard").Single().Container;
        foreach (var path in new[] { asked.LivenessProbe, asked.ReadinessProbe, asked.StartupProbe }.Select(probe => probe.HttpGet.Path))
        {
            Assert.Equal(HttpStatusCode.OK, (await own.Api.Http.GetAsync(new Uri(own.Api.Url, path))).StatusCode);
        }
    }
}

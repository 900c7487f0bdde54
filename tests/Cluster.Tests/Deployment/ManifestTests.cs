using k8s.Models;

namespace Cluster.Tests.Deployment;

/// <summary>Each file of <c>deploy/k8s</c> by itself, and what the kustomizations say of them.</summary>
public sealed class ManifestTests
{
    private static readonly string[] s_ofTheWholeCluster = ["Namespace", "ResourceFlavor", "ClusterQueue"];

    [Fact]
    public void Every_document_is_what_Kubernetes_knows_and_says_its_name_and_namespace()
    {
        var documents = Manifests.Files.SelectMany(Manifests.Load).ToList();
        Assert.True(documents.Count > 30);
        Assert.All(documents, document =>
        {
            Assert.Matches("^[a-z0-9]([a-z0-9-]*[a-z0-9])?$", Manifests.MetadataOf(document).Name);
            var expected = s_ofTheWholeCluster.Contains(Manifests.KindOf(document)) ? null : "cluster";
            Assert.True(expected == Manifests.MetadataOf(document).NamespaceProperty, $"{Manifests.Title(document)} is in namespace '{Manifests.MetadataOf(document).NamespaceProperty}'");
        });
    }

    [Theory]
    [InlineData("replicas: 3", "replica: 3")]
    [InlineData("containerPort: 11111", "containerPort: many")]
    [InlineData("kind: Deployment", "kind: Deploymint")]
    [InlineData("minReadySeconds: 30", "replicas: 3")]
    public void The_reader_sees_a_slip(string right, string wrong)
    {
        var yaml = File.ReadAllText(Path.Combine(Manifests.Folder, "base", "silo.yaml"));
        Assert.Contains(right, yaml, StringComparison.Ordinal);
        Assert.ThrowsAny<Exception>(() => Manifests.Parse(yaml.Replace(right, wrong, StringComparison.Ordinal)));
    }

    [Fact]
    public void Kustomizations_list_the_files_that_are_there_and_every_folder_is_used()
    {
        Assert.All(Manifests.Folders, folder =>
        {
            var kustomization = Kustomization.Read(folder);
            var isComponent = folder.Contains("components", StringComparison.Ordinal);
            Assert.Equal(
                isComponent ? ("kustomize.config.k8s.io/v1alpha1", "Component") : ("kustomize.config.k8s.io/v1beta1", "Kustomization"),
                (kustomization.ApiVersion, kustomization.Kind));
            var there = Directory.GetFiles(folder).Select(file => Path.GetFileName(file)).Except([Kustomization.FileName]);
            Assert.Equal(there.Order(StringComparer.Ordinal), kustomization.FilesListed.Order(StringComparer.Ordinal));
            Assert.All(kustomization.FoldersListed, listed => Assert.True(File.Exists(Path.Combine(folder, listed, Kustomization.FileName)), $"{folder} lists {listed}"));
        });
        var used = Directory.GetDirectories(Path.Combine(Manifests.Folder, "overlays")).SelectMany(overlay => Kustomization.Read(overlay).WithAllBeneath()).Select(k => k.Folder).Distinct();
        Assert.Equal(Manifests.Folders, used.Order(StringComparer.Ordinal));
    }

    [Theory, MemberData(nameof(Overlays.All), MemberType = typeof(Overlays))]
    public void Patches_and_images_name_what_is_there(string overlay)
    {
        var documents = Manifests.Parse(Manifests.Unpatched(overlay));
        Assert.All(Kustomization.Read(Path.Combine(Manifests.Folder, "overlays", overlay)).WithAllBeneath(), layer =>
        {
            foreach (var patch in layer.Patches.SelectMany(p => Manifests.Load(Path.Combine(layer.Folder, p.Path))))
            {
                var patched = Assert.Single(documents, document => Manifests.Title(document) == Manifests.Title(patch));
                if (patch is not V1Deployment { Spec.Template.Spec.Containers: var containers }) { continue; }
                var names = ((V1Deployment)patched).Spec.Template.Spec.Containers.Select(c => c.Name);
                Assert.All(containers, container => Assert.Contains(container.Name, names));
            }

            var images = Manifests.Files.SelectMany(Manifests.Load).SelectMany(document => document is V1Deployment d ? d.Spec.Template.Spec.Containers : []).Select(c => c.Image?.Split(':')[0]);
            Assert.All(layer.Images, image => Assert.Contains(image.Name, images));
        });
    }
}

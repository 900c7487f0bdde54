namespace Cluster.Trainer.Core.Data.Clients;

/// <summary>The site at which this process runs.</summary>
/// <param name="Name">The client that it is in a job that names it.</param>
/// <param name="Path">Folder of its training data.</param>
internal sealed record SiteFolder(string Name, string Path);

using System.Globalization;
using System.Net;
using Cluster.Contracts;
using Cluster.Contracts.Spec;
using Cluster.Trainer.Core.Data.Clients;

namespace Cluster.Trainer.Worker;

/// <summary>
/// Settings of a trainer process: section <c>Cluster</c> of its configuration, so <c>Cluster__Id</c> in the environment or
/// <c>--Cluster:Id</c> on the command line. Which cluster it serves is read by <see cref="ServiceDefaults.ClusterAddress"/>, and
/// <c>Cluster:HealthPort</c>, where it answers probes, by <see cref="ServiceDefaults.HealthExtensions"/>.
/// </summary>
public sealed record TrainerSettings
{
    /// <summary>Name of this worker, unique among those alive. By default made of host name and process id.</summary>
    public string? Id { get; init; }

    /// <summary>Address on which peers reach this worker; loopback by default.</summary>
    public string Address { get; init; } = "127.0.0.1";

    /// <summary>Port on which peers reach this worker, for firewalls and network policies: 1 to 65535, or 0 to let the system choose.</summary>
    public int DataPort { get; init; }

    /// <summary>What its operator says of this machine, for people: <c>zone=a,disk=fast</c>; at most 256 characters.</summary>
    public string Labels { get; init; } = "";

    /// <summary>
    /// Name of the site whose data lie in <see cref="SiteData"/>: 1 to 63 of a-z, 0-9 and '-', beginning with a letter. The worker then serves
    /// only jobs that name the site, and what is read there never leaves this process: a job gets the change of the model.
    /// </summary>
    public string Site { get; init; } = "";

    /// <summary>Folder of the site's training data, in the files of the job's data.kind.</summary>
    public string? SiteData { get; init; }

    /// <summary>Asked to end (SIGTERM), the worker goes on until its job has let it go, at most so many seconds.</summary>
    public int LeaveSeconds { get; init; } = 60;

    /// <summary>End when standard input closes, and leave Ctrl-C to whoever holds the other end of it.</summary>
    public bool EndWithInput { get; init; }

    internal SiteFolder? SiteFolder => SiteData is null ? null : new(Site, SiteData);

    /// <exception cref="BadInputException">An address or port that cannot be; the site has no name, no folder, or an impossible name.</exception>
    internal TrainerSettings Checked()
    {
        if (!IPAddress.TryParse(Address, out _)) { throw new BadInputException($"Cluster:Address: found '{Address}', allowed: an IP address of this machine"); }
        if (DataPort is < 0 or > 65535) { throw new BadInputException($"Cluster:DataPort: found {DataPort}, allowed: 1 to 65535, or 0 to let the system choose"); }
        if (Site.Length == 0 && SiteData is null) { return this; }
        if (!NameAttribute.IsName(Site)) { throw new BadInputException($"Cluster:Site: found '{Site}', allowed: {NameAttribute.Rule}"); }
        if (SiteData is null) { throw new BadInputException($"Cluster:SiteData: missing: the folder of the data of site '{Site}'"); }
        if (!Directory.Exists(SiteData)) { throw new BadInputException($"Cluster:SiteData: there is no folder {Path.GetFullPath(SiteData)}"); }
        return this;
    }

    internal string WorkerId => Id ?? string.Create(CultureInfo.InvariantCulture, $"{Environment.MachineName}-{Environment.ProcessId}");
}

using System.Net;
using Cluster.Contracts;
using Microsoft.Extensions.Configuration;
using StackExchange.Redis;

namespace Cluster.ServiceDefaults;

/// <summary>
/// The Redis that holds a cluster of several silos together: its members, grain state and reminders. The text may hold a
/// password, so only <see cref="ToString"/> goes into messages and logs.
/// </summary>
public sealed class RedisAddress
{
    private const string Key = "Cluster:Redis", AspireKey = "ConnectionStrings:redis";

    private readonly string _text;

    /// <param name="text">As StackExchange.Redis reads it: <c>host:port,password=...,ssl=true</c>.</param>
    /// <param name="setBy">The setting it comes from, for messages.</param>
    /// <exception cref="BadInputException">No host, or an option that is not known.</exception>
    public RedisAddress(string text, string setBy = Key)
    {
        _text = text;
        SetBy = setBy;
        try
        {
            if (Options().EndPoints.Count == 0) { throw new ArgumentException("it names no host"); }
        }
        catch (Exception e) when (e is ArgumentException or FormatException)
        {
            // What the parser says may repeat a part of the text, which may be the password.
            throw new BadInputException($"{setBy} cannot be read: host:port is needed, with options after commas as StackExchange.Redis knows them, such as 10.0.0.5:6379,password=...,ssl=true.");
        }
    }

    /// <summary>The setting it comes from, as the user knows it.</summary>
    public string SetBy { get; }

    /// <summary>Null when neither <c>Cluster:Redis</c> nor <c>ConnectionStrings:redis</c> is set; the first is looked at first.</summary>
    /// <exception cref="BadInputException">It cannot be read.</exception>
    public static RedisAddress? From(IConfiguration configuration) =>
        configuration[Key] is { Length: > 0 } own ? new(own, Key)
        : configuration[AspireKey] is { Length: > 0 } aspire ? new(aspire, AspireKey)
        : null;

    /// <summary>A fresh copy. A Redis that is away is tried again twice a second, for as long as it takes.</summary>
    public ConfigurationOptions Options()
    {
        var options = ConfigurationOptions.Parse(_text);
        options.AbortOnConnectFail = false;
        options.ReconnectRetryPolicy = new LinearRetry(500);
        return options;
    }

    /// <summary>Host and port, without the password.</summary>
    public override string ToString() => string.Join(", ", Options().EndPoints.Select(e => e switch
    {
        DnsEndPoint { Port: 0 } dns => dns.Host,
        DnsEndPoint dns => $"{dns.Host}:{dns.Port}",
        _ => e.ToString(),
    }));
}

using System.Diagnostics.Metrics;
using System.Reflection;
using System.Runtime.CompilerServices;
using System.Text.RegularExpressions;
using Cluster.Contracts.Telemetry;
using Cluster.Dashboard.Telemetry;
using Cluster.Grains.Telemetry;
using Cluster.Tests.Spec;
using Cluster.Trainer.Worker;
using Microsoft.Extensions.DependencyInjection;

namespace Cluster.Tests.Telemetry;

/// <summary>What <c>docs/telemetry.md</c> names is what the code makes, and the other way round.</summary>
public sealed partial class TableTests
{
    private static readonly string[] s_makers = ["ApiTelemetry.cs", "ControlTelemetry.cs", "SessionTelemetry.cs", "TrainerTelemetry.cs"];

    [Fact]
    public void Instruments_of_the_table_are_those_of_the_code_with_kind_unit_and_process()
    {
        var made = new List<string>();
        using var listener = new MeterListener
        {
            InstrumentPublished = (instrument, _) =>
            {
                lock (made) { if (instrument.Meter.Name.StartsWith("Cluster.", StringComparison.Ordinal)) { made.Add($"{instrument.Name} {KindOf(instrument)} {instrument.Unit} {ProcessOf(instrument.Meter.Name)}"); } }
            },
        };
        listener.Start();
        RuntimeHelpers.RunClassConstructor(typeof(TrainerTelemetry).TypeHandle);
        RuntimeHelpers.RunClassConstructor(typeof(ApiTelemetry).TypeHandle);
        using var services = new ServiceCollection().AddMetrics().AddSingleton<ControlTelemetry>().BuildServiceProvider();
        services.GetRequiredService<ControlTelemetry>();

        Assert.NotEmpty(TelemetryGuide.Instruments);
        lock (made) { Assert.Equal(TelemetryGuide.Instruments.Select(row => $"{row.Name} {row.Kind} {row.Unit} {row.Process}").Order(), made.Distinct().Order()); }
    }

    [Fact]
    public void Spans_of_the_table_are_those_of_the_code()
    {
        var phases = Constants(typeof(TrainerTelemetry)).Where(c => c.Name is "Compute" or "Wait" or "Reduce" or "Update").Select(c => $"{TrainerTelemetry.PhaseSpanPrefix}{c.Value}");
        var named = ((Type[])[typeof(TrainerTelemetry), typeof(ControlTelemetry), typeof(ApiTelemetry)]).SelectMany(Constants).Where(c => c.Name.EndsWith("Span", StringComparison.Ordinal)).Select(c => c.Value);
        Assert.Equal(TelemetryGuide.Spans.Select(row => row.Name).Order(), named.Concat(phases).Order());
    }

    [Fact]
    public void Attributes_of_the_tables_are_those_of_the_code()
    {
        var known = Constants(typeof(TelemetryKeys)).Select(c => c.Value).Order().ToArray();
        Assert.Equal(known, TelemetryGuide.Attributes.Order());
        Assert.Subset(known.ToHashSet(), TelemetryGuide.Instruments.SelectMany(row => row.Attributes).Concat(TelemetryGuide.Spans.SelectMany(row => row.Attributes)).ToHashSet());
    }

    /// <summary>So that the tests above see them all.</summary>
    [Fact]
    public void Instruments_and_spans_are_made_in_few_places()
    {
        var elsewhere = from file in Directory.EnumerateFiles(Path.Combine(SpecSamples.Root, "src"), "*.cs", SearchOption.AllDirectories)
                        where !file.Split(Path.DirectorySeparatorChar).Any(part => part is "bin" or "obj") && !s_makers.Contains(Path.GetFileName(file))
                        from line in File.ReadLines(file)
                        where Making().IsMatch(line)
                        select $"{file}: {line.Trim()}";
        Assert.Empty(elsewhere);
    }

    private static IEnumerable<(string Name, string Value)> Constants(Type type) =>
        type.GetFields(BindingFlags.Public | BindingFlags.Static).Where(field => field.IsLiteral && field.FieldType == typeof(string)).Select(field => (field.Name, (string)field.GetRawConstantValue()!));

    private static string KindOf(Instrument instrument) => instrument.GetType().Name.Split('`')[0] switch
    {
        "Counter" => "counter",
        "UpDownCounter" => "up-down counter",
        "Histogram" => "histogram",
        "ObservableGauge" => "gauge",
        var other => other,
    };

    private static string ProcessOf(string meter) => meter switch { TrainerTelemetry.Name => "trainer", ControlTelemetry.Name => "silo", ApiTelemetry.Name => "dashboard", _ => meter };

    [GeneratedRegex(@"\.(Create(Counter|Histogram|UpDownCounter|Gauge|Observable\w+)|StartActivity)\s*[<(]|new (Meter|ActivitySource)\(")]
    private static partial Regex Making();
}

using System.Net;
using System.Net.Sockets;
using Cluster.Contracts;
using Cluster.Contracts.Spec;
using Cluster.Tests.EndToEnd;
using Cluster.Trainer.Core.BlackBoxes;

namespace Cluster.Tests.ForwardForward;

/// <summary>Simulated boxes, and a device on a socket with everything that a device does wrong.</summary>
public sealed class BlackBoxTests
{
    private static readonly float[] s_inputs = [.. Enumerable.Range(0, 12).Select(i => (float)Math.Sin(i + 1))]; // Three vectors of four.

    public static TheoryData<BoxSpec> Simulated => [new BoxSpec.Smooth { Noise = 0.1, Drift = 0.01 }, new BoxSpec.Quantised { Noise = 0.1, Drift = 0.01 }, new BoxSpec.Table { Noise = 0.1, Drift = 0.01 }];

    [Theory, MemberData(nameof(Simulated))]
    public void A_simulated_box_is_a_function_of_seed_time_and_number(BoxSpec spec)
    {
        using var box = BlackBoxFactory.Create(spec, layer: 0, width: 4, seed: 1);
        using var same = BlackBoxFactory.Create(spec, layer: 0, width: 4, seed: 1);
        using var other = BlackBoxFactory.Create(spec, layer: 1, width: 4, seed: 1);
        var whole = box.Measure(s_inputs, 4, new Moment(5, 100));

        Assert.Equal(whole, same.Measure(s_inputs, 4, new Moment(5, 100)));
        Assert.Equal(whole[4..], same.Measure(s_inputs[4..], 4, new Moment(5, 101))); // Cut into leaves.
        Assert.NotEqual(whole, same.Measure(s_inputs, 4, new Moment(6, 100)));
        Assert.NotEqual(whole, other.Measure(s_inputs, 4, new Moment(5, 100)));
        Assert.Equal(3, box.Measurements);
        Assert.Equal(8, same.Measurements);
    }

    [Fact]
    public void Drift_turns_a_medium_slowly_into_another()
    {
        using var still = new SmoothBox(seed: 1, width: 4, noise: 0, drift: 0);
        using var moving = new SmoothBox(seed: 1, width: 4, noise: 0, drift: 0.01);
        var start = still.Measure(s_inputs, 4, new Moment(0, 0));
        Assert.Equal(start, moving.Measure(s_inputs, 4, new Moment(0, 0)));
        Assert.Equal(start, still.Measure(s_inputs, 4, new Moment(900, 0)));
        Assert.InRange(Distance(start, moving.Measure(s_inputs, 4, new Moment(1, 0))), 1e-6, 0.1);
        Assert.InRange(Distance(start, moving.Measure(s_inputs, 4, new Moment(157, 0))), 0.1, 10); // A quarter turn.
    }

    [Fact]
    public void Two_bits_are_four_levels_between_the_smallest_and_the_largest()
    {
        Assert.Equal([0, 1.0 / 3, 2.0 / 3, 1, 0], QuantisedBox.Levels([-1, 0.1, 0.9, 2, -0.6]));
        Assert.Equal([0, 0], QuantisedBox.Levels([3, 3]));
    }

    [Fact]
    public void A_table_is_read_with_straight_lines_between_its_entries()
    {
        double[] table = [1, 3, 0];
        Assert.Equal([1, 2, 3, 1.5, 0], new[] { 0, 0.25, 0.5, 0.75, 1 }.Select(place => TableBox.Look(table, place)));
    }

    [Theory]
    [InlineData(11, "gave 11 numbers; 3 vectors of 4 were asked for, which are 12")]
    [InlineData(12, "gave NaN as number 2 of vector 1")]
    public void An_answer_that_is_no_measurement_is_refused(int count, string message)
    {
        var answer = Enumerable.Range(0, count).Select(i => i == 6 ? float.NaN : i).ToArray();
        using var box = new MeasuredBox(new Scripted(answer), "the black box of layer 1");
        var failure = Assert.Throws<BlackBoxException>(() => box.Measure(s_inputs, 4, default));
        Assert.Contains($"the black box of layer 1 {message}", failure.Message, StringComparison.Ordinal);
        Assert.Equal(0, box.Measurements);
    }

    [Fact]
    public async Task A_device_answers_over_its_socket()
    {
        using var device = new Device((rows, width, values) => (rows, width, [.. values.Select(value => 2 * value)]));
        using (var box = new DeviceBox(device.Address, TimeSpan.FromSeconds(30)))
        {
            Assert.Equal([.. s_inputs.Select(value => 2 * value)], box.Measure(s_inputs, 4, default));
            Assert.Equal([.. s_inputs[..4].Select(value => 2 * value)], box.Measure(s_inputs[..4], 4, default));
        }

        await device.DisposeAsync();
        Assert.Equal(1, device.Connections);
    }

    [Fact]
    public async Task What_a_device_does_wrong_is_said_and_the_next_measurement_connects_anew()
    {
        var answers = new Queue<Func<uint, uint, float[], (uint, uint, float[])?>>(
        [
            (rows, width, values) => (rows, width + 1, values),
            (_, _, _) => null, // It hangs up.
            (rows, width, values) => (rows, width, values),
        ]);
        using var device = new Device((rows, width, values) => answers.Dequeue()(rows, width, values));
        using (var box = new DeviceBox(device.Address, TimeSpan.FromSeconds(30)))
        {
            Assert.Contains($"the device at {device.Address} answered with 3 vectors of 5 numbers", Fails(box), StringComparison.Ordinal);
            Assert.Contains("closed the connection in the middle of an answer", Fails(box), StringComparison.Ordinal);
            Assert.Equal(s_inputs, box.Measure(s_inputs, 4, default));
        }

        await device.DisposeAsync();
        Assert.Equal(3, device.Connections);
    }

    [Fact]
    public void A_device_that_does_not_answer_in_time_is_given_up()
    {
        using var never = new TcpListener(IPAddress.Loopback, 0); // Takes the connection and says nothing.
        never.Start();
        using var box = new DeviceBox($"127.0.0.1:{((IPEndPoint)never.LocalEndpoint).Port}", TimeSpan.FromMilliseconds(50));
        Assert.Contains("no answer of the device at 127.0.0.1:", Fails(box), StringComparison.Ordinal);
        Assert.Contains("within 50 ms", Fails(box), StringComparison.Ordinal);
    }

    [Fact]
    public void A_device_that_is_not_there_is_said()
    {
        var port = FreePort.Take();
        using var box = new DeviceBox($"127.0.0.1:{port}", TimeSpan.FromSeconds(30));
        Assert.Contains($"the device at 127.0.0.1:{port} cannot be reached", Fails(box), StringComparison.Ordinal);
    }

    [Theory, InlineData("localhost"), InlineData(":7000"), InlineData("host:0"), InlineData("host:70000"), InlineData("host:x")]
    public void An_address_that_is_none_is_refused(string address) =>
        Assert.Contains($"model.box.address: '{address}' is not host:port", Assert.Throws<BadInputException>(() => new DeviceBox(address, TimeSpan.FromSeconds(1))).Message, StringComparison.Ordinal);

    private static string Fails(DeviceBox box) => Assert.Throws<BlackBoxException>(() => box.Measure(s_inputs, 4, default)).Message;

    private static double Distance(float[] a, float[] b) => Math.Sqrt(a.Zip(b, (x, y) => (double)(x - y) * (x - y)).Sum());

    private sealed class Scripted(float[] answer) : IBlackBox
    {
        public float[] Measure(float[] inputs, int width, Moment moment) => answer;

        public void Dispose() { }
    }
}

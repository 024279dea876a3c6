namespace DynNet.Native;

// What is said of devices: there is one so far.
public static partial class Ops
{
    /// <summary>The value of an expression on a device, by DyNet's name for it.</summary>
    /// <param name="x">Any shape.</param>
    /// <param name="device"><c>CPU</c>, which is <see cref="Device.Cpu"/>.</param>
    /// <returns><paramref name="x"/> itself: it is there already.</returns>
    /// <remarks>Records nothing. A program that names devices runs unchanged where there is none but the processor.
    /// </remarks>
    /// <exception cref="DeviceException">There is no such device; the library never takes another instead.</exception>
    /// <exception cref="StaleExpressionException">
    /// The operand is of another graph, or of before a renewal or revert, or was never made.
    /// </exception>
    /// <exception cref="ArgumentException">The operand names no graph: it is a parameter.</exception>
    /// <exception cref="ObjectDisposedException">The graph is disposed.</exception>
    public static Expression ToDevice(Expression x, string device)
    {
        ArgumentNullException.ThrowIfNull(device);
        // What is stale or disposed is found by whoever asks for its shape.
        _ = ComputationGraph.Of(x);
        _ = x.Dim;
        if (device != "CPU")
            throw new DeviceException($"to_device: there is no device {device}; there is CPU");
        return x;
    }

    /// <summary>The value of an expression on a device.</summary>
    /// <param name="x">Any shape.</param>
    /// <param name="device"><see cref="Device.Cpu"/>.</param>
    /// <returns><paramref name="x"/> itself: it is there already.</returns>
    /// <remarks>Records nothing.</remarks>
    /// <exception cref="StaleExpressionException">
    /// The operand is of another graph, or of before a renewal or revert, or was never made.
    /// </exception>
    /// <exception cref="ArgumentException">The operand names no graph: it is a parameter.</exception>
    /// <exception cref="ObjectDisposedException">The graph is disposed.</exception>
    public static Expression ToDevice(Expression x, CpuDevice device)
    {
        ArgumentNullException.ThrowIfNull(device);
        return ToDevice(x, "CPU");
    }
}

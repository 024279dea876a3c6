using System.Diagnostics.CodeAnalysis;
using DynNet.Native.Interop;

namespace DynNet.Native;

/// <summary>The processor as a device: how many threads compute, and with which instructions.</summary>
/// <remarks>All members may be used from any thread.</remarks>
[SuppressMessage("Performance", "CA1822", Justification = "Devices are objects, even where there is one only.")]
public sealed class CpuDevice
{
    internal CpuDevice()
    {
    }

    /// <summary>
    /// How many threads one computation may use, 1 to 256. By default what the environment variable
    /// <c>DYNNET_THREADS</c> says, else the processors that the process may use. Takes effect at the next computation;
    /// the results are the same bits for any number.
    /// </summary>
    /// <exception cref="ArgumentException">The number is out of its range.</exception>
    public int Threads
    {
        get => NativeMethods.dn_device_threads();
        set => Status.Check(NativeMethods.dn_device_set_threads(value));
    }

    /// <summary>
    /// The instruction set whose kernels run: <c>v2</c>, <c>v3</c> or <c>v4</c> of x86-64, or <c>portable</c>. Chosen
    /// once from what the processor has; the environment variable <c>DYNNET_ISA</c> forces a lower one.
    /// </summary>
    public string Isa => LibraryCalls.Isa();
}

using DynNet.Native.Interop;

namespace DynNet.Native;

/// <summary>
/// The memory that graphs and models hold, all together, outside of .NET's heap. The text of a stream that is being
/// read into a model or trainer counts too.
/// </summary>
/// <remarks>
/// It grows as needed up to <see cref="Limit"/>; a call that needs more throws <see
/// cref="InsufficientMemoryException"/>, and what was there before the call stays usable. All members may be used from
/// any thread.
/// </remarks>
public static class Memory
{
    /// <summary>
    /// How many bytes graphs and models may hold together. By default what the cgroup allows, else the machine's
    /// memory; setting it to 0 restores that.
    /// </summary>
    /// <exception cref="ArgumentException">The number is negative.</exception>
    public static long Limit
    {
        get => NativeMethods.dn_memory_limit();
        set => Status.Check(NativeMethods.dn_memory_set_limit(value));
    }

    /// <summary>How many bytes graphs and models hold now, and the text that is being read into them.</summary>
    public static long Used => NativeMethods.dn_memory_used();
}

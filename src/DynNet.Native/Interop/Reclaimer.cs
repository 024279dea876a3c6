using System.Runtime.CompilerServices;

namespace DynNet.Native.Interop;

/// <summary>
/// Has graphs collected that were dropped without being disposed. The garbage collector does not see the native memory
/// behind them, so a program that forgets to dispose them would run out of it long before the collector is in a hurry.
/// </summary>
/// <remarks>
/// GC.AddMemoryPressure is not used: it counts what was disposed in time too, and would slow down those who do it
/// right.
/// </remarks>
internal static class Reclaimer
{
    /// <summary>How much native memory may be added before a collection is tried.</summary>
    private const long Step = 32 << 20;

    private static readonly Lock Gate = new();

    private static long _threshold = Step;

    /// <summary>To be called before a graph is made: collects if much memory was taken since the last time.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal static void BeforeGraph()
    {
        if (NativeMethods.dn_memory_used() > Volatile.Read(ref _threshold))
            Reclaim();
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    private static void Reclaim()
    {
        // One thread collects; the others need not wait for it.
        if (!Gate.TryEnter())
            return;
        try
        {
            long before = NativeMethods.dn_memory_used();
            long after = before;
            // Mostly the youngest generation suffices.
            for (int generation = 0; generation <= GC.MaxGeneration && before - after < Step / 2; generation++)
            {
                GC.Collect(generation, GCCollectionMode.Forced, blocking: true);
                after = AfterFinalizers();
            }
            // A quarter on top of what is in use for good: collections stay rare however much that is.
            Volatile.Write(ref _threshold, after + Math.Max(Step, after / 4));
        }
        finally
        {
            Gate.Exit();
        }
    }

    /// <summary>
    /// The memory used once finalizers have freed what they can. It does not wait for them without end: the caller may
    /// hold a lock that one of them wants.
    /// </summary>
    private static long AfterFinalizers()
    {
        long used = NativeMethods.dn_memory_used();
        for (int milliseconds = 0; milliseconds < 50; milliseconds++)
        {
            Thread.Sleep(1);
            long now = NativeMethods.dn_memory_used();
            if (now >= used)
                return now;
            used = now;
        }
        return used;
    }
}

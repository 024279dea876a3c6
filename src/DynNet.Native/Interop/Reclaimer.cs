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

    /// <summary>The bytes that finalizers have freed since the process began.</summary>
    private static long _finalized;

    /// <summary>To be called before a graph is made: collects if much memory was taken since the last time.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal static void BeforeGraph()
    {
        if (NativeMethods.dn_memory_used() > Volatile.Read(ref _threshold))
            Reclaim();
    }

    /// <summary>
    /// To be called by the finalizer of an object that was not disposed. What other threads take or free in the same
    /// moment makes the number a little wrong.
    /// </summary>
    internal static void Finalized(long bytes)
    {
        if (bytes > 0)
            Interlocked.Add(ref _finalized, bytes);
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    private static void Reclaim()
    {
        // One thread collects; the others need not wait for it.
        if (!Gate.TryEnter())
            return;
        try
        {
            long used = NativeMethods.dn_memory_used();
            long before = Interlocked.Read(ref _finalized);
            long freed = 0;
            // Mostly the youngest generation suffices.
            for (int generation = 0; generation <= GC.MaxGeneration && freed < Step / 2; generation++)
            {
                GC.Collect(generation, GCCollectionMode.Forced, blocking: true);
                freed = AfterFinalizers() - before;
            }
            // Where there is little to collect, memory that is less by now was disposed by other threads. They will
            // take it again, and with a lower threshold that would have them wait for a collection each time.
            long inUse = freed < Step / 2
                ? Math.Max(used, _threshold)
                : NativeMethods.dn_memory_used();
            // A quarter on top of what is in use for good: collections stay rare however much that is.
            Volatile.Write(ref _threshold, inUse + Math.Max(Step, inUse / 4));
        }
        finally
        {
            Gate.Exit();
        }
    }

    /// <summary>
    /// The bytes that finalizers have freed once they have freed what they can. It does not wait for them without end:
    /// the caller may hold a lock that one of them wants.
    /// </summary>
    private static long AfterFinalizers()
    {
        long finalized = Interlocked.Read(ref _finalized);
        for (int milliseconds = 0; milliseconds < 50; milliseconds++)
        {
            Thread.Sleep(1);
            long now = Interlocked.Read(ref _finalized);
            if (now == finalized)
                return now;
            finalized = now;
        }
        return finalized;
    }
}

namespace DynNet.Native;

/// <summary>What computes.</summary>
public static class Device
{
    /// <summary>The processor.</summary>
    public static CpuDevice Cpu { get; } = new();
}
